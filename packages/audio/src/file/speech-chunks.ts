import { type ChannelJudge, isMixed, LaneConverter, type Lanes, mixedLanes } from '../channels/index.js';
import { AudioError } from '../errors.js';
import { SPEECH_RATE_HZ } from '../limits.js';
import { CHUNK_SAMPLES_MAX } from './limits.js';
import type { PcmStream } from './pcm-stream.js';
import type { SpeechLimits } from './speech-stream.js';

/** What is heard, and how much at most. */
export interface ChunkOptions extends SpeechLimits {
  readonly lanes: Lanes;
  /** Looks at the channels as they go by. */
  readonly judge: ChannelJudge | undefined;
}

/**
 * Decoded sound to what a recogniser hears: interleaved lanes, 16 kHz, −1…1, in chunks of at most `CHUNK_SAMPLES_MAX` of each,
 * each a fresh array. Asks for the next block only after the last chunk was taken.
 * After `maxDurationMs` of sound, if there is more, and before a block with more than `maxSamples` in all is worked on: throws
 * `too_large`.
 */
export async function* speechChunks(
  stream: PcmStream,
  { maxDurationMs, maxSamples, lanes, judge }: ChunkOptions,
): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
  const chunkSamplesMax = CHUNK_SAMPLES_MAX * lanes.length;
  let leftSamples = Math.ceil((maxDurationMs / 1000) * SPEECH_RATE_HZ) * lanes.length;

  function* cut(samples: Float32Array<ArrayBuffer>): Generator<Float32Array<ArrayBuffer>> {
    for (let at = 0; at < samples.length; ) {
      if (leftSamples === 0) {
        throw new AudioError('too_large', 'This recording is longer than the limit; split it.');
      }
      const chunk = samples.slice(at, at + Math.min(chunkSamplesMax, leftSamples));
      at += chunk.length;
      leftSamples -= chunk.length;
      yield clipped(chunk);
    }
  }

  // A file may be several, with more or fewer channels: whoever hears all of the first hears all of each.
  const isAll = isMixed(lanes, stream.channels);
  let samples = 0;
  for (let part: PcmStream | undefined = stream; part !== undefined; part = await part.next?.()) {
    const { sampleRateHz, channels } = part;
    const converter = new LaneConverter({
      sampleRateHz,
      channels,
      lanes: isAll ? mixedLanes(channels) : lanes,
    });
    for await (const block of part.blocks) {
      samples += block.length;
      if (samples > maxSamples) throw tooManySamples();
      if (part === stream) judge?.push(block);
      yield* cut(converter.push(block));
    }
    yield* cut(converter.finish());
  }
}

/** Lengths are told in hundredths of a second, some of them. */
const ROUNDING_MS = 10;

/** Throws `too_large` where a header promises more than `maxSamples`. */
export function checkPromise(
  { sampleRateHz, channels, durationMs = 0 }: Pick<PcmStream, 'sampleRateHz' | 'channels' | 'durationMs'>,
  maxSamples: number,
): void {
  if (((durationMs - ROUNDING_MS) / 1000) * sampleRateHz * channels > maxSamples) throw tooManySamples();
}

function tooManySamples(): AudioError {
  return new AudioError(
    'too_large',
    'This recording has more samples than the limit (rate times channels times length); mix it down to mono, 16 kHz, or split it.',
  );
}

/** A filter overshoots full scale by a little, and float files hold anything. */
function clipped(samples: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  for (let at = 0; at < samples.length; at += 1) {
    const sample = samples[at] ?? 0;
    if (sample > 1) samples[at] = 1;
    else if (sample < -1) samples[at] = -1;
  }
  return samples;
}
