import { timerMs } from '@kikitori/core';

/** When to look for signs of life, and what to do when there are none. */
export interface LivenessOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Anything that grows whenever the peer is heard. */
  readonly signsOfLife: () => number;
  /** Asks for a sign. */
  readonly ping: () => void;
  readonly onDead: () => void;
}

/**
 * Notices a line that was cut without a word: after at most two intervals and one timeout.
 *
 * Looks only whether bytes came, which costs nothing; a ping goes out when none did, so on a line with traffic there
 * are none.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #verdict: ReturnType<typeof setImmediate> | undefined;
  #heard = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Begins with the wait for the first look. */
  start(): void {
    this.#heard = this.#options.signsOfLife();
    this.#watch();
  }

  /** Leaves no timer behind. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#verdict);
    this.#timer = undefined;
    this.#verdict = undefined;
  }

  #watch(): void {
    this.#timer = setTimeout(() => {
      if (this.#hasHeard()) {
        this.#watch();
        return;
      }
      this.#await(this.#options.timeoutMs);
      this.#options.ping();
    }, timerMs(this.#options.intervalMs));
  }

  /** After a ping. Looked at as often as before, so that a line cut right behind its answer is noticed as soon. */
  #await(leftMs: number): void {
    const stepMs = Math.min(leftMs, this.#options.intervalMs);
    this.#timer = setTimeout(() => {
      if (this.#hasHeard()) {
        this.#watch();
      } else if (leftMs > stepMs) {
        this.#await(leftMs - stepMs);
      } else {
        // When this process was held up itself, the answer lies in the socket and is read now.
        this.#verdict = setImmediate(() => this.#judge());
      }
    }, timerMs(stepMs));
  }

  #judge(): void {
    if (this.#hasHeard()) this.#watch();
    else this.#options.onDead();
  }

  #hasHeard(): boolean {
    const heard = this.#options.signsOfLife();
    if (heard === this.#heard) return false;
    this.#heard = heard;
    return true;
  }
}
