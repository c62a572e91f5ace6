import { HOLE_MS_MAX, SILENCE_PER_SOUND_MAX } from './limits.js';
import type { PcmStream } from './pcm-stream.js';

/** Sound that is late by less is late by rounding, or by what a decoder holds back. */
const HOLE_MS_MIN = 100;
/** Silence is made in pieces. */
const SILENCE_FRAMES = 16_384;

/**
 * Where sound stands on the clock of its container. Sound is never dropped or moved forward: a clock that goes back, or that
 * is behind, is waited for.
 */
export class Timeline {
  /** What the clock shows where the file begins, ms. */
  #zeroMs: number | undefined;
  #soundMs = 0;
  #silenceMs = 0;
  #hasClosed = false;

  /** Without `zeroMs` the file begins with its first sound. */
  constructor(zeroMs?: number) {
    this.#zeroMs = zeroMs;
  }

  /** A hole was too long to be believed: what follows stands too early. */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  /** How much silence belongs before sound that begins when the clock shows `clockMs`, ms. Counts as given. */
  silenceBefore(clockMs: number): number {
    this.#zeroMs ??= clockMs;
    const lateMs = clockMs - this.#zeroMs - this.#soundMs - this.#silenceMs;
    if (!(lateMs >= HOLE_MS_MIN)) return 0;
    const leftMs = HOLE_MS_MAX + SILENCE_PER_SOUND_MAX * this.#soundMs - this.#silenceMs;
    if (lateMs > Math.min(HOLE_MS_MAX, leftMs)) {
      this.#zeroMs += lateMs;
      this.#hasClosed = true;
      return 0;
    }
    this.#silenceMs += lateMs;
    return lateMs;
  }

  /** So much sound was given. */
  pass(soundMs: number): void {
    this.#soundMs += soundMs;
  }
}

/** Sound, and what the clock showed when it began; undefined where that is not known: right behind what came before. */
export interface TimedSound {
  readonly blocks: readonly Float32Array[];
  readonly clockMs: number | undefined;
}

/** Puts silence where a stream's clock says that there was no sound. `sounds` stands for its blocks. */
export function onTimeline(
  stream: PcmStream,
  sounds: AsyncIterable<TimedSound>,
  timeline: Timeline,
): PcmStream {
  const { channels, sampleRateHz } = stream;
  return {
    ...stream,
    isDamaged: () => timeline.hasClosed || stream.isDamaged(),
    blocks: (async function* () {
      for await (const { blocks, clockMs } of sounds) {
        const silenceMs = clockMs === undefined ? 0 : timeline.silenceBefore(clockMs);
        let left = Math.round((silenceMs / 1000) * sampleRateHz);
        for (; left > 0; left -= SILENCE_FRAMES) {
          yield new Float32Array(Math.min(left, SILENCE_FRAMES) * channels);
        }
        for (const block of blocks) timeline.pass((block.length / channels / sampleRateHz) * 1000);
        yield* blocks;
      }
    })(),
  };
}

/** Each block of a stream, with what `takeClockMs` says when it comes. */
export async function* clocked(
  blocks: AsyncIterable<Float32Array>,
  takeClockMs: () => number | undefined,
): AsyncGenerator<TimedSound, void> {
  for await (const block of blocks) yield { blocks: [block], clockMs: takeClockMs() };
}
