import { abortable as abortableBy } from '@kikitori/core';
import { CaptureError } from './errors.js';

/** The promise, or `CaptureError` `aborted` as soon as the signal fires; a late rejection of the promise is swallowed. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return abortableBy(promise, signal, abortedError);
}

/** Throws `aborted` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

function abortedError({ reason }: AbortSignal): CaptureError {
  return new CaptureError('aborted', 'The caller aborted.', reason);
}
