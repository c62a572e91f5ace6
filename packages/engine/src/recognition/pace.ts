/** Does a stream's audio come at the pace of speech, or ahead of it, as from a file? */
import { RECOGNITION_LIMITS } from './limits.js';

/**
 * A stream is ahead of real time once it has brought `aheadMsMax` more audio than time has passed. Time counts from
 * its beginning; a stream that brings nothing for a while earns credit for what its network held up, no more than
 * `creditMsMax`. It is live again when it has kept the pace of speech for `pacedMsMin` and has no more waiting than
 * one decode takes: so a client that comes back and sends its last minute again is ahead until that is recognised and
 * those seconds have passed, not for as long as it stays before where it would have been.
 */
export class Pace {
  #aheadMs = 0;
  #atMs: number;
  #isAhead = false;
  /** Since when a stream that was ahead has kept the pace, and how much it brought since. */
  #pacedFromMs = 0;
  #pacedMs = 0;

  /** All times: milliseconds of a monotonic clock. */
  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Audio came. Milliseconds of it. */
  took(audioMs: number, nowMs: number): void {
    const { creditMsMax, aheadMsMax, pacedSlackMs } = RECOGNITION_LIMITS;
    this.#aheadMs = Math.max(-creditMsMax, this.#aheadMs - (nowMs - this.#atMs)) + audioMs;
    this.#atMs = nowMs;
    this.#pacedMs += audioMs;
    const isTooFast = this.#pacedMs - (nowMs - this.#pacedFromMs) > pacedSlackMs;
    if (this.#isAhead ? isTooFast : this.#aheadMs > aheadMsMax) {
      this.#isAhead = true;
      this.#pacedFromMs = nowMs;
      this.#pacedMs = 0;
    }
  }

  /** `waitingMs`: audio of it that is not recognised. */
  isAhead(waitingMs: number, nowMs: number): boolean {
    const { pacedMsMin, pacedWaitingMsMax } = RECOGNITION_LIMITS;
    if (this.#isAhead && waitingMs <= pacedWaitingMsMax && nowMs - this.#pacedFromMs >= pacedMsMin) {
      this.#isAhead = false;
      this.#aheadMs = 0;
    }
    return this.#isAhead;
  }
}
