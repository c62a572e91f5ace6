import { type Gate, whenAborted } from '@kikitori/transport';
import type { Clock } from './clock.js';

/** Nobody asks why a rest is over; an exception made for each, with its stack, costs more than the rest itself. */
const OVER = 'over';

/**
 * Waits for the gate, for so long at most, or for the signal; leaves no timer and no listener behind. Never rejects:
 * whoever rests looks around afterwards.
 */
export async function rest(
  gate: Gate,
  { clock, ms, signal }: { readonly clock: Clock; readonly ms?: number; readonly signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return;
  const quietly = (): void => {};
  if (ms === undefined) return await gate.wait({ signal }).catch(quietly);
  const stop = new AbortController();
  const leave = whenAborted(signal, () => stop.abort(OVER));
  const waits = [gate.wait(stop), clock.sleep(ms, stop)];
  await Promise.race(waits.map((wait) => wait.catch(quietly)));
  leave();
  stop.abort(OVER);
}
