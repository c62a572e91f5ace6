/** How often somebody may knock. */
export interface RateLimit {
  /** Knocks a second over time. */
  readonly perSecond: number;
  /** Knocks at once. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * A token bucket for each name, in a table of bounded size: at the bound the one that was used longest ago is
 * forgotten, which gives it a full bucket again and nobody else less.
 */
export class ConnectRate {
  readonly #limit: RateLimit;
  readonly #namesMax: number;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, namesMax: number, nowMs: () => number) {
    this.#limit = limit;
    this.#namesMax = namesMax;
    this.#nowMs = nowMs;
  }

  /** Takes one; answers 0, or how many seconds to wait, at least 1. */
  knock(name: string): number {
    const { perSecond, burst } = this.#limit;
    const atMs = this.#nowMs();
    const before = this.#buckets.get(name) ?? { tokens: burst, atMs };
    const tokens = Math.min(burst, before.tokens + ((atMs - before.atMs) * perSecond) / 1000);
    const isLetIn = tokens >= 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: isLetIn ? tokens - 1 : tokens, atMs });
    if (this.#buckets.size > this.#namesMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return isLetIn ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }
}
