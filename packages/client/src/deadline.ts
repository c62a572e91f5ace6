import { timerMs } from '@kikitori/core';

/** A timer that a sign of life starts anew. */
export class Deadline {
  readonly #timeoutMs: number;
  readonly #onExpired: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number, onExpired: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
  }

  /** Starts, or starts anew. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onExpired, timerMs(this.#timeoutMs));
  }

  /** Never. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
