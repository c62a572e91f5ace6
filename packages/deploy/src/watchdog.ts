import { abortable, timerMs, whenAborted } from '@kikitori/core';
import { BrokenOffError } from '@kikitori/core/hub';

/** Ends one request when it is quiet for too long, or when the caller's signal is aborted. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #leave: () => void;

  constructor(timeoutMs: number, outer: AbortSignal) {
    this.#timer = setTimeout(() => {
      this.#controller.abort(new BrokenOffError('Nothing came for too long.'));
    }, timerMs(timeoutMs));
    this.#leave = whenAborted(outer, () => this.#controller.abort(outer.reason));
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
    this.#leave();
  }
}

/**
 * Asks once, for at most so long; what is still under way then fails with the reason, however the one who asks tells it, and also where it does
 * not listen: AWS's clients wait for whoever gives them keys, which no signal reaches.
 */
export async function watched<T>(
  timeoutMs: number,
  outer: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const watchdog = new Watchdog(timeoutMs, outer);
  try {
    return await abortable(ask(watchdog.signal), watchdog.signal);
  } catch (error) {
    throw watchdog.signal.aborted ? watchdog.signal.reason : error;
  } finally {
    watchdog.stop();
  }
}
