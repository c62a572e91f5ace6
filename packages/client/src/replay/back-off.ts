import { RETRIES_MAX, RETRY_AWAY_MS_MAX, RETRY_BASE_MS, RETRY_MS_MAX } from '../limits.js';

/** What is known of the last failure. */
export interface Advice {
  /** The first try does not wait. */
  readonly atOnce: boolean;
  /** Nobody was there: how long to stay away, milliseconds; chance comes on top. Undefined: it is there and has trouble. */
  readonly awayMs: number | undefined;
}

/** When to try again, and when no more. Pure of clocks and of chance: both are given. */
export class BackOff {
  readonly #giveUpAfterMs: number;
  readonly #random: () => number;
  #tries = 0;
  #sinceMs: number | undefined;

  constructor(giveUpAfterMs: number, random: () => number) {
    this.#giveUpAfterMs = giveUpAfterMs;
    this.#random = random;
  }

  /** To be called when a connection has proved good: the next loss is a new one. */
  reset(): void {
    this.#tries = 0;
    this.#sinceMs = undefined;
  }

  /**
   * How long to wait before the next try, milliseconds; undefined when it is time to give up. The wait doubles from
   * try to try up to a bound, and chance takes a part of it, so that a thousand clients do not come back at once.
   */
  next(nowMs: number, { atOnce, awayMs }: Advice): number | undefined {
    this.#sinceMs ??= nowMs;
    const mostMs = awayMs === undefined ? RETRY_MS_MAX : RETRY_AWAY_MS_MAX;
    const boundMs = Math.min(mostMs, RETRY_BASE_MS * 2 ** this.#tries);
    const isFree = atOnce && this.#tries === 0;
    const waitMs = isFree ? 0 : (awayMs ?? 0) + boundMs * this.#random();
    this.#tries += 1;
    const isOver = nowMs + waitMs - this.#sinceMs > this.#giveUpAfterMs;
    return isOver || this.#tries > RETRIES_MAX ? undefined : waitMs;
  }
}
