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
  #heard = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Begins with the wait for the first look. */
  start(): void {
    this.#heard = this.#options.signsOfLife();
    this.#timer = setTimeout(() => this.#look(), this.#options.intervalMs);
  }

  /** Leaves no timer behind. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const { intervalMs, timeoutMs, signsOfLife, ping } = this.#options;
    if (signsOfLife() !== this.#heard) {
      this.#heard = signsOfLife();
      this.#timer = setTimeout(() => this.#look(), intervalMs);
      return;
    }
    this.#timer = setTimeout(() => this.#judge(), timeoutMs);
    ping();
  }

  #judge(): void {
    if (this.#options.signsOfLife() === this.#heard) {
      this.stop();
      this.#options.onDead();
    } else {
      this.#look();
    }
  }
}
