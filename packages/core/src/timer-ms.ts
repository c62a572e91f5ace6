/** A timer of the platform waits for at most a signed 32-bit number of milliseconds (24.8 days); a longer one fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * What to give to `setTimeout` for a wait that comes from outside (an option, a flag, a header, the wire): at most 24.8
 * days, for `Infinity` as well.
 */
export function timerMs(waitMs: number): number {
  return Math.min(waitMs, TIMER_MS_MAX);
}
