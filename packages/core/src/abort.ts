/**
 * Runs it once when the signal fires, at once when it has. Returns what takes the listener off again; a signal may live
 * longer than what listens to it.
 */
export function whenAborted(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal?.aborted === true) run();
  else signal?.addEventListener('abort', run, { once: true });
  return () => signal?.removeEventListener('abort', run);
}

/**
 * Waits for the promise or for the signal, whichever is first, and leaves no listener behind; rejects with the signal's
 * reason, or with what `errorOf` makes of it. A promise that loses is nobody's error any more.
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  errorOf = ({ reason }: AbortSignal): unknown => reason,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const leave = whenAborted(signal, () => reject(errorOf(signal)));
    promise.then(resolve, reject).finally(leave);
  });
}

/** Resolves once the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    whenAborted(signal, resolve);
  });
}
