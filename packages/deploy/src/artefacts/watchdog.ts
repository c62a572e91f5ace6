import { BrokenOffError } from '@kikitori/core/hub';

/** Ends one request when it is quiet for too long, or when the caller's signal is aborted. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal | undefined;
  readonly #forward = (): void => this.#controller.abort(this.#outer?.reason);

  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#timer = setTimeout(() => {
      this.#controller.abort(new BrokenOffError('Nothing came for too long.'));
    }, timeoutMs);
    if (outer?.aborted === true) this.#forward();
    else outer?.addEventListener('abort', this.#forward);
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something came: the time starts anew. */
  feed(): void {
    this.#timer.refresh();
  }

  /** Lets go of the timer and of the caller's signal. Twice does no harm. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#forward);
  }
}
