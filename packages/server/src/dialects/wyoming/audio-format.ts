import { CHANNELS_MAX, type PcmEncoding, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '@kikitori/audio';
import type { Members } from '../json-object.js';
import type { RawAudioLanesOptions } from '../raw-audio-lanes.js';
import { isSampleRate } from '../sample-rate.js';

/** By bytes of a sample; those of one byte are unsigned, as in a WAV file. */
const ENCODINGS: ReadonlyMap<unknown, PcmEncoding> = new Map([
  [1, 'u8'],
  [2, 's16le'],
  [3, 's24le'],
  [4, 's32le'],
]);

/** The audio that the data of an event describes: its channels are mixed. A string: why it cannot be heard. */
export function audioFormatOf({ rate, width, channels }: Members): RawAudioLanesOptions | string {
  const encoding = ENCODINGS.get(width);
  if (!isSampleRate(rate)) {
    return `rate is a whole number from ${SAMPLE_RATE_HZ_MIN} to ${SAMPLE_RATE_HZ_MAX}.`;
  }
  if (encoding === undefined) return 'width is the bytes of a sample: 1, 2, 3 or 4.';
  const isCount = typeof channels === 'number' && Number.isInteger(channels);
  if (!isCount || channels < 1 || channels > CHANNELS_MAX) {
    return `channels is a whole number from 1 to ${CHANNELS_MAX}.`;
  }
  return { encoding, sampleRateHz: rate, channels, areApart: false };
}
