import { MPEGDecoder } from 'mpg123-decoder';
import { AudioError } from '../errors.js';
import { interleave, type LibraryStream } from './library-stream.js';

/** Bytes per call: at the lowest bit rate of the format (8 kbit/s) two seconds of sound. */
const SLICE_BYTES = 2048;

/**
 * MPEG audio, layers I to III. The decoder finds the frames itself, also behind tags and junk. It always gives two
 * channels (equal ones for mono).
 */
export async function openMpeg(pieces: AsyncIterable<Uint8Array>): Promise<LibraryStream> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  let isDamaged = false;
  let sampleRateHz = 0;

  async function* decoded(): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; at += SLICE_BYTES) {
        const slice = decoder.decode(piece.subarray(at, at + SLICE_BYTES));
        isDamaged ||= slice.errors.length > 0;
        if (slice.samplesDecoded === 0) continue;
        if (sampleRateHz !== 0 && slice.sampleRate !== sampleRateHz) {
          isDamaged = true;
          return;
        }
        sampleRateHz = slice.sampleRate;
        yield interleave(slice.channelData, 0, slice.samplesDecoded);
      }
    }
    decoder.free();
  }

  const blocks = decoded();
  const first = await blocks.next();
  if (first.done === true) {
    throw new AudioError(
      'decode_failed',
      'This file holds no MP3 sound: it is cut off or damaged; export it again.',
    );
  }
  return {
    sampleRateHz,
    channels: 2,
    durationMs: undefined,
    isDamaged: () => isDamaged,
    blocks: (async function* () {
      yield first.value;
      yield* blocks;
    })(),
  };
}
