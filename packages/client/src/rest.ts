import type { Clock } from '@kikitori/core';
import type { Gate } from '@kikitori/transport';

/**
 * Waits for the gate, for so long at most (`Infinity` or nothing: as long as it takes); leaves no timer behind. Never rejects:
 * whoever rests looks around afterwards, and whoever ends what is rested for opens the gate. Made for every message: signals,
 * with a listener and an exception for each, would cost more than what is waited for.
 */
export async function rest(
  gate: Gate,
  { clock, ms = Number.POSITIVE_INFINITY }: { readonly clock: Clock; readonly ms?: number | undefined },
): Promise<void> {
  const cancel = ms === Number.POSITIVE_INFINITY ? undefined : clock.after(ms, () => gate.open());
  await gate.wait();
  cancel?.();
}
