import { SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '@kikitori/audio';
import type { PcmEncoding, RawFormat } from '@kikitori/audio/file';
import { CliError } from '../errors.js';

/** Encodings of one sample, as people may name them. */
export const RAW_ENCODINGS = [
  'u8',
  's8',
  's16le',
  's16be',
  's24le',
  's24be',
  's32le',
  's32be',
  'f32le',
  'f32be',
  'f64le',
  'f64be',
  'mulaw',
  'alaw',
] as const satisfies readonly PcmEncoding[];

const CHANNELS_MAX = 64;

/** `s16le:16000:1` → its parts; rate and channels may be left out. Throws `CliError` `usage`. */
export function parseRawFormat(text: string, label: string): RawFormat {
  const [name = '', rate = '16000', channels = '1', ...rest] = text.split(':');
  const encoding = RAW_ENCODINGS.find((one) => one === name);
  const sampleRateHz = /^\d+$/.test(rate) ? Number(rate) : 0;
  const channelCount = /^\d+$/.test(channels) ? Number(channels) : 0;
  const isRate = sampleRateHz >= SAMPLE_RATE_HZ_MIN && sampleRateHz <= SAMPLE_RATE_HZ_MAX;
  if (
    encoding !== undefined &&
    isRate &&
    channelCount >= 1 &&
    channelCount <= CHANNELS_MAX &&
    rest.length === 0
  ) {
    return { encoding, sampleRateHz, channels: channelCount };
  }
  throw new CliError(
    'usage',
    `${label} must be ENCODING:RATE:CHANNELS such as s16le:16000:1, with one of ${RAW_ENCODINGS.join(', ')}, ${SAMPLE_RATE_HZ_MIN} to ${SAMPLE_RATE_HZ_MAX} Hz and 1 to ${CHANNELS_MAX} channels.`,
  );
}
