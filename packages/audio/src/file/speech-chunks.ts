import { AudioError } from '../errors.js';
import { SPEECH_RATE_HZ } from '../limits.js';
import { SpeechConverter } from '../speech-converter.js';
import { CHUNK_SAMPLES_MAX } from './limits.js';
import type { PcmStream } from './pcm-stream.js';

/**
 * Decoded sound to what a recogniser hears: mono, 16 kHz, −1…1, in chunks of at most `CHUNK_SAMPLES_MAX`, each a
 * fresh array. Asks for the next block only after the last chunk was taken.
 * After `maxDurationMs` of sound, if there is more: throws `too_large`.
 */
export async function* speechChunks(
  stream: PcmStream,
  maxDurationMs: number,
): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
  const { sampleRateHz, channels } = stream;
  const converter = new SpeechConverter({ sampleRateHz, channels });
  let leftSamples = Math.ceil((maxDurationMs / 1000) * SPEECH_RATE_HZ);

  function* cut(samples: Float32Array<ArrayBuffer>): Generator<Float32Array<ArrayBuffer>> {
    for (let at = 0; at < samples.length; ) {
      if (leftSamples === 0) {
        throw new AudioError('too_large', 'This recording is longer than the limit; split it.');
      }
      const chunk = samples.slice(at, at + Math.min(CHUNK_SAMPLES_MAX, leftSamples));
      at += chunk.length;
      leftSamples -= chunk.length;
      yield clipped(chunk);
    }
  }

  for await (const block of stream.blocks) yield* cut(converter.push(block));
  yield* cut(converter.finish());
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
