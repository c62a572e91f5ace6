import { type Clock, sleep, systemClock } from '@kikitori/core';
import { SAMPLE_RATE_HZ } from '@kikitori/protocol';
import { abortable, type WaitOptions } from './abortable.js';
import { lengthSamples, type Pcm } from './audio-intake.js';
import { ClientError } from './errors.js';
import { PACE_CATCH_UP_MS_MAX, PACE_FRAME_MS } from './limits.js';

/** As fast as it was spoken, as fast as it goes, or so many times as fast as it was spoken. */
export type PaceRate = 'realtime' | 'max' | number;

/** How to pace. */
export interface PaceOptions extends WaitOptions {
  /** Default `realtime`. */
  readonly rate?: PaceRate;
  /** Rate of the audio. Default 16,000. */
  readonly sampleRateHz?: number;
  readonly clock?: Clock;
}

/** Audio in pieces, or in one. */
export type AudioSource = AsyncIterable<Pcm> | Iterable<Pcm> | Pcm;

/**
 * Gives audio out as a microphone would: each piece when its last sample has been spoken.
 *
 * The schedule is absolute, so nothing drifts. Pieces longer than 80 ms are cut. After a stall (a slow consumer, a
 * sleeping machine) it catches up by at most five seconds of audio at once; the rest of the stall remains a delay.
 */
export async function* pace(
  source: AudioSource,
  options: PaceOptions = {},
): AsyncGenerator<Pcm, void, undefined> {
  const { rate = 'realtime', sampleRateHz = SAMPLE_RATE_HZ, clock = systemClock, signal } = options;
  const speed = speedOf(rate);
  let startMs = clock.nowMs();
  let givenSamples = 0;
  for await (const chunk of chunksOf(source)) {
    for (const piece of speed === Number.POSITIVE_INFINITY ? [chunk] : piecesOf(chunk, sampleRateHz)) {
      givenSamples += lengthSamples(piece);
      const dueMs = startMs + (givenSamples * 1000) / (sampleRateHz * speed);
      const earlyMs = dueMs - clock.nowMs();
      if (earlyMs > 0) {
        await abortable(sleep(clock, earlyMs, { signal }), signal);
      } else if (-earlyMs * speed > PACE_CATCH_UP_MS_MAX) {
        startMs += -earlyMs - PACE_CATCH_UP_MS_MAX / speed;
      }
      yield piece;
    }
  }
}

/** The pieces of a source, whatever it is. */
export function chunksOf(source: AudioSource): AsyncIterable<Pcm> | Iterable<Pcm> {
  return ArrayBuffer.isView(source) ? [source] : source;
}

function speedOf(rate: PaceRate): number {
  if (rate === 'realtime') return 1;
  if (rate === 'max') return Number.POSITIVE_INFINITY;
  if (!(rate > 0))
    throw new ClientError('invalid_argument', 'A pace is realtime, max, or a number above zero.');
  return rate;
}

function* piecesOf(chunk: Pcm, sampleRateHz: number): Generator<Pcm, void, undefined> {
  const pieceSamples = Math.max(1, Math.floor((sampleRateHz * PACE_FRAME_MS) / 1000));
  const step = pieceSamples * (chunk instanceof Uint8Array ? 2 : 1);
  for (let start = 0; start < chunk.length; start += step) yield chunk.subarray(start, start + step);
}
