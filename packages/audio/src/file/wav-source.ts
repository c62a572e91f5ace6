import { AudioError } from '../errors.js';
import { WavDecoder } from '../wav-decoder.js';
import type { WavFormat } from '../wav-format.js';
import type { ByteSource } from './byte-source.js';
import type { PcmStream } from './pcm-stream.js';

/**
 * Reads WAV and Wave64 with our own parser. Resolves to undefined where the sound inside is compressed (ADPCM, GSM,
 * …): the next rung may know it. Throws `file_damaged`.
 */
export async function openWav(source: ByteSource): Promise<PcmStream | undefined> {
  if (!isReadable(source.probe)) return undefined;
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
    decoder: 'own',
    sampleRateHz: format.sampleRateHz,
    channels: format.channels,
    durationMs: durationMs(source, format, decoder.promisedFrames),
    isDamaged: () => isDamaged,
    close: () => Promise.resolve(),
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

/** False for a codec that the parser does not know; a damaged header is not ours to pass on. */
function isReadable(probe: Uint8Array): boolean {
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
  source: ByteSource,
  format: WavFormat,
  promisedFrames = Number.POSITIVE_INFINITY,
): number | undefined {
  const frames = Math.min(promisedFrames, (source.sizeBytes ?? Number.POSITIVE_INFINITY) / format.frameBytes);
  return Number.isFinite(frames) ? Math.round((frames / format.sampleRateHz) * 1000) : undefined;
}
