import { STALL_TIMEOUT_MS_MAX } from './limits.js';

/**
 * Notices a decoder that makes no progress. The clock runs only while it is the decoder's turn: a slow source
 * or a slow reader is not a stall.
 */
export class StallWatch {
  readonly #timeoutMs: number;
  readonly #onStall: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, onStall: () => void) {
    this.#timeoutMs = Math.min(timeoutMs, STALL_TIMEOUT_MS_MAX);
    this.#onStall = onStall;
  }

  /** Says whose turn it is now, and that something happened: the clock starts anew or stands still. */
  progress(decoderTurn: boolean): void {
    if (!decoderTurn) {
      this.stop();
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(this.#onStall, this.#timeoutMs);
    } else {
      this.#timer.refresh();
    }
  }

  /** Stops the clock. Idempotent. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
