import type { UtteranceState } from '@kikitori/engine';

const SAMPLES_PER_MS = 16;
/** Loudness is looked at in steps of this. */
const STEP_MS = 20;
const STEP_SAMPLES = STEP_MS * SAMPLES_PER_MS;
/** The quietest and the loudest step of the last ten seconds are known: 20 blocks of half a second. */
const BLOCK_STEPS = 25;
const BLOCKS = 20;
const QUIETEST_DB = -120;
/** Whatever is quieter is silence. */
const SILENCE_DB = -60;
/** Where loud and quiet differ by less than this, nobody speaks: speech goes up and down by 20 dB and more. */
const SPEECH_RANGE_DB = 10;
/** What counts as loud lies in this part of the way from the quietest to the loudest, ... */
const LOUD_SHARE = 0.35;
/** ... at least and at most so far above the quietest, ... */
const ABOVE_QUIET_DB_MIN = 6;
const ABOVE_QUIET_DB_MAX = 20;
/** ... and no further below the loudest: a microphone that was muted makes silence of a depth that no room has. */
const BELOW_LOUD_DB_MAX = 30;
/** Silence behind which somebody begins to speak, and does not only go on. */
const STRETCH_GAP_MS = 200;
/** One loud step is a click. */
const SPEECH_STEPS_MIN = 2;

/**
 * Hears by loudness alone when somebody speaks and when not; what is loud is measured against the last ten seconds,
 * so that it does not depend on the gain, and a steady noise is silence. It is no recogniser of speech: music counts.
 */
export class PauseMeter {
  #stepSquares = 0;
  #stepSamples = 0;
  #samples = 0;
  #loudSteps = 0;
  readonly #quiet: number[] = [];
  readonly #loud: number[] = [];
  #blockSteps = 0;
  #speechMs = 0;
  #trailingSilenceMs = 0;
  #utteranceMs = 0;
  #speechEndMs = 0;
  #stretchStartMs: number | undefined;

  /** Where the running utterance stands. */
  get state(): UtteranceState {
    return {
      speechMs: this.#speechMs,
      trailingSilenceMs: this.#trailingSilenceMs,
      utteranceMs: this.#utteranceMs,
    };
  }

  /** Where somebody spoke last, milliseconds since the first sample. */
  get speechEndMs(): number {
    return this.#speechEndMs;
  }

  /** Where somebody began to speak last, behind a silence that is longer than those between words. */
  get stretchStartMs(): number | undefined {
    return this.#stretchStartMs;
  }

  /**
   * Listens until the samples (16 kHz, mono) are over or `isEnd` says so of a step; answers how many samples were
   * taken.
   */
  listen(samples: Int16Array, isEnd: (state: UtteranceState) => boolean): number {
    for (let at = 0; at < samples.length; at += 1) {
      const sample = samples[at] ?? 0;
      this.#stepSquares += sample * sample;
      this.#stepSamples += 1;
      if (this.#stepSamples < STEP_SAMPLES) continue;
      this.#samples += STEP_SAMPLES;
      this.#step(10 * Math.log10(this.#stepSquares / STEP_SAMPLES / 32_768 ** 2 + 1e-12));
      this.#stepSquares = 0;
      this.#stepSamples = 0;
      if (isEnd(this.state)) return at + 1;
    }
    return samples.length;
  }

  /** Another utterance begins. How loud it was before is still known. */
  restart(): void {
    this.#speechMs = 0;
    this.#trailingSilenceMs = 0;
    this.#utteranceMs = 0;
  }

  #step(levelDb: number): void {
    this.#remember(levelDb);
    this.#loudSteps = levelDb >= this.#thresholdDb() ? this.#loudSteps + 1 : 0;
    this.#utteranceMs += STEP_MS;
    if (this.#loudSteps < SPEECH_STEPS_MIN) {
      this.#trailingSilenceMs += STEP_MS;
      return;
    }
    this.#speechMs += this.#loudSteps === SPEECH_STEPS_MIN ? SPEECH_STEPS_MIN * STEP_MS : STEP_MS;
    this.#trailingSilenceMs = 0;
    const atMs = this.#samples / SAMPLES_PER_MS;
    if (this.#stretchStartMs === undefined || atMs - this.#speechEndMs > STRETCH_GAP_MS) {
      this.#stretchStartMs = atMs - SPEECH_STEPS_MIN * STEP_MS;
    }
    this.#speechEndMs = atMs;
  }

  #remember(levelDb: number): void {
    if (this.#blockSteps === 0) {
      this.#quiet.push(0);
      this.#loud.push(QUIETEST_DB);
      if (this.#quiet.length > BLOCKS) {
        this.#quiet.shift();
        this.#loud.shift();
      }
    }
    const last = this.#quiet.length - 1;
    this.#quiet[last] = Math.min(this.#quiet[last] ?? 0, levelDb);
    this.#loud[last] = Math.max(this.#loud[last] ?? QUIETEST_DB, levelDb);
    this.#blockSteps = (this.#blockSteps + 1) % BLOCK_STEPS;
  }

  #thresholdDb(): number {
    const quietDb = Math.min(...this.#quiet);
    const loudDb = Math.max(...this.#loud);
    const rangeDb = loudDb - quietDb;
    if (rangeDb < SPEECH_RANGE_DB) return Number.POSITIVE_INFINITY;
    const aboveDb = Math.min(ABOVE_QUIET_DB_MAX, Math.max(ABOVE_QUIET_DB_MIN, rangeDb * LOUD_SHARE));
    return Math.max(SILENCE_DB, quietDb + aboveDb, loudDb - BELOW_LOUD_DB_MAX);
  }
}
