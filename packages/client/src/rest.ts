import { type Clock, whenAborted } from '@kikitori/core';
import type { Gate } from '@kikitori/transport';

/** Nobody asks why a rest is over; an exception made for each, with its stack, costs more than the rest itself. */
const OVER = 'over';

/**
 * Waits for the gate, for so long at most (`Infinity` or nothing: as long as it takes), or for the signal; leaves no timer and no listener behind. Never rejects:
 * whoever rests looks around afterwards.
 */
export async function rest(
  gate: Gate,
  {
    clock,
    ms = Number.POSITIVE_INFINITY,
    signal,
  }: { readonly clock: Clock; readonly ms?: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return;
  const quietly = (): void => {};
  if (ms === Number.POSITIVE_INFINITY) return await gate.wait({ signal }).catch(quietly);
  const stop = new AbortController();
  const leave = whenAborted(signal, () => stop.abort(OVER));
  const cancel = clock.after(ms, () => stop.abort(OVER));
  await gate.wait(stop).catch(quietly);
  cancel();
  leave();
}
