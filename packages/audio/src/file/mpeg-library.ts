import { MPEGDecoder } from 'mpg123-decoder';
import { AudioError } from '../errors.js';
import { interleave } from './interleave.js';
import { openJoined } from './joined-streams.js';
import type { PcmStream } from './pcm-stream.js';

/** Bytes per call: at the lowest bit rate of the format (8 kbit/s) two seconds of sound. */
const SLICE_BYTES = 2048;

/** What a slice of bytes gave. */
interface Slice {
  readonly sampleRateHz: number;
  readonly samples: Float32Array;
}

/**
 * MPEG audio, layers I to III, also several recordings one behind the other. The decoder finds the frames itself, also behind
 * tags and junk. It always gives two channels (equal ones for mono).
 */
export async function openMpeg(pieces: AsyncIterable<Uint8Array>): Promise<PcmStream> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  let isDamaged = false;

  async function* decoded(): AsyncGenerator<Slice, void> {
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; at += SLICE_BYTES) {
        const slice = decoder.decode(piece.subarray(at, at + SLICE_BYTES));
        isDamaged ||= slice.errors.length > 0;
        if (slice.samplesDecoded === 0) continue;
        const samples = interleave(slice.channelData, 0, slice.samplesDecoded);
        yield { sampleRateHz: slice.sampleRate, samples };
      }
    }
    decoder.free();
  }

  const slices = decoded();
  /** Read already: the first with another rate. */
  let ahead = await next();
  if (ahead === undefined) {
    throw new AudioError(
      'decode_failed',
      'This file holds no MP3 sound: it is cut off or damaged; export it again.',
    );
  }

  async function next(): Promise<Slice | undefined> {
    const { done, value } = await slices.next();
    return done === true ? undefined : value;
  }

  async function* oneRate(first: Slice): AsyncGenerator<Float32Array, void> {
    let slice: Slice | undefined = first;
    while (slice?.sampleRateHz === first.sampleRateHz) {
      yield slice.samples;
      slice = await next();
    }
    ahead = slice;
  }

  return openJoined(() => {
    if (ahead === undefined) return Promise.resolve(undefined);
    const { sampleRateHz } = ahead;
    const blocks = oneRate(ahead);
    return Promise.resolve({
      sampleRateHz,
      channels: 2,
      durationMs: undefined,
      isDamaged: () => isDamaged,
      blocks,
    });
  });
}
