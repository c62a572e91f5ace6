import type { DoorLimits } from '../limits.js';

/** Sessions of one client that came to nothing, less those that time has forgiven. */
interface Debt {
  readonly count: number;
  readonly atMs: number;
}

/**
 * Counts sessions that end as soon as they begin and have said nothing: a client that connects, is told an error and connects again at
 * once. At the bound it is slowed down to the rate at which such ends are forgiven. One session that came to something clears its
 * client, so that many who work are not held up by one who does not.
 */
export class QuickEnds {
  readonly #limits: DoorLimits;
  readonly #nowMs: () => number;
  /** Those used last stand last; in all `ratedNamesMax`. */
  readonly #debts = new Map<string, Debt>();

  constructor(limits: DoorLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Whole seconds until that client may begin another session; 0: now. */
  waitS(name: string): number {
    const { quickEndsMax: max, quickEndsPerSecond: perSecond } = this.#limits;
    const over = this.#countOf(name) - (max - 1);
    return max === 0 || over <= 0 ? 0 : Math.ceil(over / perSecond);
  }

  /** A session of that client is over. */
  note(name: string, { durationMs, words, utterances }: SessionYield): void {
    const { quickEndMs, quickEndsMax, ratedNamesMax } = this.#limits;
    if (words > 0 || utterances > 0) this.#debts.delete(name);
    if (words > 0 || utterances > 0 || durationMs >= quickEndMs || quickEndsMax === 0) return;
    // Sessions that began together may end together: none of them makes the wait longer than one does.
    const count = Math.min(quickEndsMax, this.#countOf(name) + 1);
    this.#debts.delete(name);
    this.#debts.set(name, { count, atMs: this.#nowMs() });
    const [oldest] = this.#debts.keys();
    if (this.#debts.size > ratedNamesMax && oldest !== undefined) this.#debts.delete(oldest);
  }

  #countOf(name: string): number {
    const debt = this.#debts.get(name);
    if (debt === undefined) return 0;
    const forgiven = ((this.#nowMs() - debt.atMs) / 1000) * this.#limits.quickEndsPerSecond;
    return Math.max(0, debt.count - forgiven);
  }
}

/** What a session came to. */
export interface SessionYield {
  readonly durationMs: number;
  readonly words: number;
  /** Those that were answered. */
  readonly utterances: number;
}
