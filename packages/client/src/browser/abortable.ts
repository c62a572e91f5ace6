import { CaptureError } from './errors.js';

/** The promise, or `CaptureError` `aborted` as soon as the signal fires; a late rejection of the promise is swallowed. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  const given = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(abortedError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { signal: given.signal });
  });
  // Whichever loses is of no interest.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    given.abort();
  }
}

/** Throws `aborted` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

function abortedError({ reason }: AbortSignal): CaptureError {
  return new CaptureError('aborted', 'The caller aborted.', reason);
}
