import { AudioError } from '../errors.js';
import { WavDecoder } from '../wav-decoder.js';
import type { WavFormat } from '../wav-format.js';
import type { ByteSource } from './byte-source.js';
import type { PcmStream } from './pcm-stream.js';

/** What is known of a file beside its beginning. */
type WavSource = Pick<ByteSource, 'sizeBytes' | 'bytes'>;

/** Reads WAV and Wave64 with our own parser. Throws `file_damaged`. */
export async function openWav(source: WavSource): Promise<PcmStream> {
  const decoder = new WavDecoder();
  const pieces = source.bytes();
  let first = new Float32Array(0);
  while (first.length === 0) {
    const { done, value } = await pieces.next();
    if (done === true) break;
    first = decoder.push(value);
  }
  const format = decoder.format ?? decoder.finish().format;
  let isDamaged = false;
  return {
    sampleRateHz: format.sampleRateHz,
    channels: format.channels,
    durationMs: durationMs(source, format, decoder.promisedFrames),
    isDamaged: () => isDamaged,
    blocks: (async function* () {
      if (first.length > 0) yield first;
      for await (const piece of pieces) {
        const samples = decoder.push(piece);
        if (samples.length > 0) yield samples;
      }
      isDamaged = decoder.finish().isTruncated;
    })(),
  };
}

/** A beginning that holds a whole header and first samples of a WAV or Wave64. */
export function isPlayableWav(probe: Uint8Array): boolean {
  try {
    return new WavDecoder().push(probe).length > 0;
  } catch {
    return false;
  }
}

/**
 * False where the sound inside is compressed (ADPCM, GSM, …): another decoder may know it. A damaged header is not ours to
 * pass on: throws `file_damaged`.
 */
export function isOwnWav(probe: Uint8Array): boolean {
  try {
    new WavDecoder().push(probe);
    return true;
  } catch (error) {
    if (error instanceof AudioError && error.code === 'unsupported_codec') return false;
    throw error;
  }
}

/** The header's promise, no more than the file can hold; the file's size where the header says nothing. */
function durationMs(
  source: WavSource,
  format: WavFormat,
  promisedFrames = Number.POSITIVE_INFINITY,
): number | undefined {
  const frames = Math.min(promisedFrames, (source.sizeBytes ?? Number.POSITIVE_INFINITY) / format.frameBytes);
  return Number.isFinite(frames) ? Math.round((frames / format.sampleRateHz) * 1000) : undefined;
}
