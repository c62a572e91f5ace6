import { AudioError } from './errors.js';
import { encodeALaw, encodeMuLaw } from './g711.js';
import { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from './limits.js';
import type { PcmEncoding } from './pcm-samples.js';
import { float32ToInt16, float32ToPcm16 } from './pcm16.js';

/** How samples are written: 16-bit integers, 32-bit floats, G.711. */
export type WavWriteEncoding = Extract<PcmEncoding, 's16le' | 'f32le' | 'mulaw' | 'alaw'>;

export interface WavWriteOptions {
  /** SAMPLE_RATE_HZ_MIN…SAMPLE_RATE_HZ_MAX, a whole number. */
  readonly sampleRateHz: number;
  /** 1…CHANNELS_MAX; default 1. Samples are interleaved. */
  readonly channels?: number;
  /** Default `s16le`. */
  readonly encoding?: WavWriteEncoding;
}

const LAYOUT: Readonly<Record<WavWriteEncoding, { readonly tag: number; readonly sampleBytes: number }>> = {
  s16le: { tag: 1, sampleBytes: 2 },
  f32le: { tag: 3, sampleBytes: 4 },
  alaw: { tag: 6, sampleBytes: 1 },
  mulaw: { tag: 7, sampleBytes: 1 },
};

/** RIFF head and `data` head; in between a `fmt ` chunk, of 18 bytes when it is not PCM, and then also a `fact` chunk. */
const PCM_HEADER_BYTES = 44;
const OTHER_HEADER_BYTES = 58;
const SIZE_OPEN = 0xffff_ffff;

/**
 * The header of a WAV file: 44 bytes for `s16le`, else 58. `dataBytes`: bytes of the samples that follow; leave it out when
 * they are written as they come, then the sizes say "to the end" (0xFFFFFFFF), as ffmpeg does into a pipe.
 * Values out of bounds, or more bytes than 32 bits can state → `AudioError` `invalid_argument`.
 */
export function wavHeader(options: WavWriteOptions, dataBytes?: number): Uint8Array<ArrayBuffer> {
  const { sampleRateHz, channels = 1, encoding = 's16le' } = options;
  const { tag, sampleBytes } = LAYOUT[encoding];
  const headerBytes = encoding === 's16le' ? PCM_HEADER_BYTES : OTHER_HEADER_BYTES;
  const isRate =
    Number.isInteger(sampleRateHz) &&
    sampleRateHz >= SAMPLE_RATE_HZ_MIN &&
    sampleRateHz <= SAMPLE_RATE_HZ_MAX;
  const isCount = Number.isInteger(channels) && channels >= 1 && channels <= CHANNELS_MAX;
  const isSize = dataBytes === undefined || (dataBytes >= 0 && dataBytes + headerBytes + 1 < SIZE_OPEN);
  if (!isRate || !isCount || !isSize) {
    throw new AudioError(
      'invalid_argument',
      'A WAV header states 1000 to 768000 Hz, 1 to 64 channels, under 4 GiB.',
    );
  }
  const view = new DataView(new ArrayBuffer(headerBytes));
  const riffBytes = dataBytes === undefined ? SIZE_OPEN : headerBytes - 8 + dataBytes + (dataBytes % 2);
  writeId(view, 0, 'RIFF');
  view.setUint32(4, riffBytes, true);
  writeId(view, 8, 'WAVE');
  writeId(view, 12, 'fmt ');
  view.setUint32(16, encoding === 's16le' ? 16 : 18, true);
  view.setUint16(20, tag, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * channels * sampleBytes, true);
  view.setUint16(32, channels * sampleBytes, true);
  view.setUint16(34, 8 * sampleBytes, true);
  if (encoding !== 's16le') {
    // "fact": how many samples each channel has; asked for with every codec but PCM.
    writeId(view, 38, 'fact');
    view.setUint32(42, 4, true);
    view.setUint32(46, dataBytes === undefined ? SIZE_OPEN : dataBytes / (channels * sampleBytes), true);
  }
  writeId(view, headerBytes - 8, 'data');
  view.setUint32(headerBytes - 4, dataBytes ?? SIZE_OPEN, true);
  return new Uint8Array(view.buffer);
}

/** A whole WAV file of `samples` (interleaved, −1…1; rounding and clipping as in pcm16.ts). Errors as `wavHeader`. */
export function encodeWav(samples: Float32Array, options: WavWriteOptions): Uint8Array<ArrayBuffer> {
  const data = encodeSamples(samples, options.encoding ?? 's16le');
  const header = wavHeader(options, data.length);
  const file = new Uint8Array(header.length + data.length + (data.length % 2));
  file.set(header);
  file.set(data, header.length);
  return file;
}

function encodeSamples(samples: Float32Array, encoding: WavWriteEncoding): Uint8Array {
  switch (encoding) {
    case 's16le':
      return float32ToPcm16(samples);
    case 'mulaw':
      return encodeMuLaw(float32ToInt16(samples));
    case 'alaw':
      return encodeALaw(float32ToInt16(samples));
    case 'f32le': {
      const view = new DataView(new ArrayBuffer(4 * samples.length));
      for (let i = 0; i < samples.length; i++) view.setFloat32(4 * i, samples[i] ?? 0, true);
      return new Uint8Array(view.buffer);
    }
    default:
      return encoding satisfies never;
  }
}

function writeId(view: DataView, offset: number, id: string): void {
  for (let i = 0; i < 4; i++) view.setUint8(offset + i, id.charCodeAt(i));
}
