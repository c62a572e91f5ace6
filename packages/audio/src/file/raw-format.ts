import { extname } from 'node:path';
import { AudioError } from '../errors.js';
import { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '../limits.js';
import { ENCODING_BYTES, type PcmEncoding } from '../pcm-samples.js';
import type { AudioFormat } from './format-table.js';

/** How the samples of a file without any header are to be read. */
export interface RawFormat {
  readonly encoding: PcmEncoding;
  /** 1,000…768,000. */
  readonly sampleRateHz: number;
  /** 1…64, interleaved. */
  readonly channels: number;
}

const MU_LAW: RawFormat = { encoding: 'mulaw', sampleRateHz: 8_000, channels: 1 };
const A_LAW: RawFormat = { encoding: 'alaw', sampleRateHz: 8_000, channels: 1 };
const PCM_16: RawFormat = { encoding: 's16le', sampleRateHz: 16_000, channels: 1 };

/** What an extension means where the content has no mark: telephone lines, and our own wire format. */
const BY_EXTENSION: Readonly<Record<string, RawFormat>> = {
  '.ulaw': MU_LAW,
  '.mulaw': MU_LAW,
  '.ul': MU_LAW,
  '.pcmu': MU_LAW,
  '.alaw': A_LAW,
  '.al': A_LAW,
  '.pcma': A_LAW,
  '.raw': PCM_16,
  '.pcm': PCM_16,
  '.s16': PCM_16,
  '.s16le': PCM_16,
  '.sw': PCM_16,
};

/** Codecs without a mark that ffmpeg knows. */
const CODEC_BY_EXTENSION: Readonly<Record<string, AudioFormat>> = { '.gsm': 'gsm', '.g722': 'g722' };

/** The raw format that a name stands for; undefined for any other name. */
export function rawFormatOfName(name: string): RawFormat | undefined {
  return BY_EXTENSION[extname(name).toLowerCase()];
}

/** The codec that a name stands for, where the content can not tell. */
export function codecOfName(name: string): AudioFormat | undefined {
  return CODEC_BY_EXTENSION[extname(name).toLowerCase()];
}

/** Throws `invalid_argument` where a caller's raw format is out of bounds. */
export function checkRawFormat({ encoding, sampleRateHz, channels }: RawFormat): void {
  const isKnown = Object.hasOwn(ENCODING_BYTES, encoding);
  const rateFits =
    Number.isInteger(sampleRateHz) &&
    sampleRateHz >= SAMPLE_RATE_HZ_MIN &&
    sampleRateHz <= SAMPLE_RATE_HZ_MAX;
  const channelsFit = Number.isInteger(channels) && channels >= 1 && channels <= CHANNELS_MAX;
  if (isKnown && rateFits && channelsFit) return;
  throw new AudioError(
    'invalid_argument',
    'A raw format has a known encoding, a rate of 1000 to 768000 Hz and 1 to 64 channels.',
  );
}
