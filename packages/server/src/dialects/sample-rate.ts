import { SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '@kikitori/audio';

/** A whole number of samples per second that can be heard. */
export function isSampleRate(value: unknown): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= SAMPLE_RATE_HZ_MIN &&
    value <= SAMPLE_RATE_HZ_MAX
  );
}
