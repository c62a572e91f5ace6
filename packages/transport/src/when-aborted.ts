/**
 * Runs it once when the signal fires, at once when it has. Returns what takes the listener off again; a signal may live
 * longer than what listens to it.
 */
export function whenAborted(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal?.aborted === true) run();
  else signal?.addEventListener('abort', run, { once: true });
  return () => signal?.removeEventListener('abort', run);
}
