import { CLIENT_LIMITS } from '../limits.js';

/**
 * The wait after so many failures in a row, milliseconds: doubling up to a bound, and spread by `random` (0…1), so
 * that those who were thrown out together do not come back together.
 */
export function captionsBackOffMs(failures: number, random: () => number): number {
  const { captionsRetryMsMin, captionsRetryMsMax } = CLIENT_LIMITS;
  const boundMs = Math.min(captionsRetryMsMax, captionsRetryMsMin * 2 ** Math.min(failures, 10));
  return boundMs * (0.5 + random() / 2);
}
