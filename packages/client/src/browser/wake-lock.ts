/**
 * Keeps the screen on until the returned function is called; browsers drop the lock when the page is hidden, and it is taken
 * again when it is seen. Where there is no such thing, nothing happens.
 */
export function keepAwake(): () => void {
  const released = new AbortController();
  let lock: WakeLockSentinel | undefined;
  const take = async (): Promise<void> => {
    if (document.visibilityState !== 'visible' || released.signal.aborted) return;
    const taken = await navigator.wakeLock?.request('screen').catch(() => undefined);
    if (released.signal.aborted) await taken?.release();
    else lock = taken;
  };
  const begin = (): void => {
    // A refusal (battery saver) only means that the screen may go dark.
    take().catch(() => undefined);
  };
  document.addEventListener('visibilitychange', begin, { signal: released.signal });
  begin();
  return () => {
    released.abort();
    lock?.release().catch(() => undefined);
  };
}
