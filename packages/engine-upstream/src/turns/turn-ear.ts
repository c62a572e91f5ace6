import type { UtteranceState } from '@kikitori/engine';

/** Audio that was heard: what it holds is known, and counted as it is taken. */
export interface HeardAudio {
  /** Goes on until the audio is over or `isEnd` says so; answers how many samples were taken now. */
  take(isEnd: (state: UtteranceState) => boolean): number;
}

/** Tells where somebody speaks, for one stream, in order. */
export interface TurnEar {
  /** Audio is heard in whole multiples of this, each time. */
  readonly stepSamples: number;
  /** Where somebody began to speak last, behind a silence longer than those between words. Milliseconds of what was heard. */
  readonly stretchStartMs: number | undefined;
  /** Hears the next samples (16 kHz, mono, −1…1; whole steps). All of what it answers is to be taken before the next. */
  hear(samples: Float32Array): Promise<HeardAudio>;
  /** Another utterance begins. What is known of voice and room stays. */
  restart(): void;
}
