/** How often something may happen. */
export interface RateLimit {
  /** So often over time. */
  readonly perSecond: number;
  /** So often at once. */
  readonly burst: number;
}

/** A token bucket: fills by `perSecond` up to `burst`; whatever happens takes one. */
export class TokenBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #atMs: number;

  /** Full at `nowMs`, milliseconds of a monotonic clock. */
  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#atMs = nowMs;
  }

  /** Takes one and answers 0; where there is none, answers how many seconds it takes until there is. */
  take(nowMs: number): number {
    const { perSecond, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) * perSecond) / 1000);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return (1 - this.#tokens) / perSecond;
    this.#tokens -= 1;
    return 0;
  }
}

/**
 * A bucket for each name, in a table of bounded size: at the bound the one that was used longest ago is forgotten, which
 * gives it a full bucket again and nobody else less.
 */
export class TokenBuckets {
  readonly #limit: RateLimit;
  readonly #namesMax: number;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limit: RateLimit, namesMax: number, nowMs: () => number) {
    this.#limit = limit;
    this.#namesMax = namesMax;
    this.#nowMs = nowMs;
  }

  /** Takes one; answers 0, or how many whole seconds to wait, at least 1. */
  take(name: string): number {
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(name) ?? new TokenBucket(this.#limit, nowMs);
    // Behind all others: it was used last.
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#namesMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return Math.ceil(bucket.take(nowMs));
  }
}
