import { type Gate, whenAborted } from '@kikitori/transport';
import type { Clock } from './clock.js';

/**
 * Waits for the gate, for so long at most, or for the signal; leaves no timer and no listener behind. Never rejects:
 * whoever rests looks around afterwards.
 */
export async function rest(
  gate: Gate,
  { clock, ms, signal }: { readonly clock: Clock; readonly ms?: number; readonly signal: AbortSignal },
): Promise<void> {
  const stop = new AbortController();
  if (signal.aborted) return;
  const leave = whenAborted(signal, () => stop.abort());
  const waits = [gate.wait({ signal: stop.signal })];
  if (ms !== undefined) waits.push(clock.sleep(ms, { signal: stop.signal }));
  for (const wait of waits) wait.catch(() => undefined);
  try {
    await Promise.race(waits);
  } catch {
    // The signal fired.
  } finally {
    leave();
    stop.abort();
  }
}
