import { AudioError } from '../errors.js';
import { WavDecoder } from '../wav-decoder.js';
import type { WavFormat } from '../wav-format.js';
import type { ByteSource } from './byte-source.js';
import { openJoined } from './joined-streams.js';
import type { PcmStream } from './pcm-stream.js';

/** What is known of a file beside its beginning. */
type WavSource = Pick<ByteSource, 'sizeBytes' | 'bytes'>;

/** Reads WAV and Wave64 with our own parser, also several files in one. Throws `file_damaged`. */
export async function openWav(source: WavSource): Promise<PcmStream> {
  const bytes = source.bytes();
  /** Read already: the file that follows begins with it. */
  let ahead: Uint8Array | undefined;
  let leftOutBytes = 0;

  async function nextPiece(): Promise<Uint8Array | undefined> {
    const piece = ahead ?? (await bytes.next()).value ?? undefined;
    ahead = undefined;
    return piece;
  }

  async function openNext(): Promise<PcmStream | undefined> {
    let piece = await nextPiece();
    if (piece === undefined) return undefined;
    const decoder = new WavDecoder();
    let first = new Float32Array(0);
    for (; piece !== undefined; piece = await nextPiece()) {
      first = decoder.push(piece);
      if (first.length > 0 || decoder.next !== undefined) break;
    }
    const format = decoder.format ?? decoder.finish().format;
    let isDamaged = false;
    async function* blocks(): AsyncGenerator<Float32Array, void> {
      if (first.length > 0) yield first;
      while (decoder.next === undefined) {
        const more = await nextPiece();
        if (more === undefined) break;
        const samples = decoder.push(more);
        if (samples.length > 0) yield samples;
      }
      const end = decoder.finish();
      ahead = decoder.next;
      isDamaged = end.isTruncated;
      leftOutBytes += end.leftOutBytes;
      if (end.rest.length > 0) yield end.rest;
    }
    return {
      sampleRateHz: format.sampleRateHz,
      channels: format.channels,
      durationMs: durationMs(source, format, decoder.promisedFrames),
      isDamaged: () => isDamaged,
      blocks: blocks(),
    };
  }

  const stream = await openJoined(openNext);
  return { ...stream, leftOutBytes: () => leftOutBytes };
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
