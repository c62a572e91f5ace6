import { abortable as abortableBy } from '@kikitori/core';
import { aborted } from './errors.js';

/** What every wait takes. */
export interface WaitOptions {
  /** Ends the wait with `ClientError` `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/** Throws `aborted` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal);
}

/** Waits for the promise or the signal, and leaves no listener behind. A late rejection of the promise is swallowed. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return abortableBy(promise, signal, aborted);
}
