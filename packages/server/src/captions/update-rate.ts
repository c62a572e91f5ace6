import type { Clock } from '../clock.js';

/** How often something may happen: a bucket that fills by `perS` tokens a second, up to two seconds' worth. */
export class UpdateRate {
  readonly #clock: Clock;
  readonly #perS: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(clock: Clock, perS: number) {
    this.#clock = clock;
    this.#perS = perS;
    this.#tokens = 2 * perS;
    this.#filledAtMs = clock.nowMs();
  }

  /** Takes one; false when there is none. */
  take(): boolean {
    const nowMs = this.#clock.nowMs();
    const filled = this.#tokens + ((nowMs - this.#filledAtMs) / 1000) * this.#perS;
    this.#tokens = Math.min(2 * this.#perS, filled);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
