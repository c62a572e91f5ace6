import { checkEndpointRules, type EndpointRule, findEndpoint } from '@kikitori/engine';
import { UPSTREAM_LIMITS } from '../limits.js';
import type { TurnEar } from './turn-ear.js';

const SAMPLES_PER_MS = 16;
const NOTHING = new Float32Array(0);
/** A word is over, be it within a sentence. */
const QUIET_MS = 100;

/** Audio that belongs to the running utterance, and whether that is over behind it. */
export interface JudgedAudio {
  readonly samples: Float32Array;
  /** The rule that ends the utterance here. */
  readonly rule: string | undefined;
  /** Somebody is in the middle of a word there. */
  readonly isInWord: boolean;
}

/**
 * Ends utterances for a model that ends none: a piece of audio is judged before it is sent, so that the utterance holds
 * exactly what belongs to it, however the audio was cut and however fast it comes.
 */
export class TurnJudge {
  readonly #ear: TurnEar;
  readonly #rules: readonly EndpointRule[];
  /** Less than a step, which is heard with what follows it. */
  #rest: Float32Array = NOTHING;
  #skippedSamples = 0;
  #isQuiet = true;
  #onsetMs: number | undefined;

  /** Throws RangeError for rules that cannot do their work. */
  constructor(ear: TurnEar, rules: readonly EndpointRule[]) {
    checkEndpointRules(rules);
    this.#ear = ear;
    this.#rules = rules;
  }

  /** Where somebody began to speak last, behind a silence longer than those between words. Milliseconds of the stream. */
  get stretchStartMs(): number | undefined {
    const startMs = this.#ear.stretchStartMs;
    return startMs === undefined ? undefined : startMs + this.#skippedSamples / SAMPLES_PER_MS;
  }

  /** Nobody is in the middle of a word, as far as was heard. */
  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** Where somebody began to speak in the running utterance; undefined: nobody has. Milliseconds of the stream. */
  get onsetMs(): number | undefined {
    return this.#onsetMs;
  }

  /** What of the audio may be sent now, in order. Rejects as the voice detector does. */
  async *judge(samples: Float32Array): AsyncGenerator<JudgedAudio, void, undefined> {
    const step = this.#ear.stepSamples;
    const pieceSamples = UPSTREAM_LIMITS.judgedMsMax * SAMPLES_PER_MS;
    const all = joined(this.#rest, samples);
    const whole = all.length - (all.length % step);
    this.#rest = all.subarray(whole);
    const perPiece = pieceSamples - (pieceSamples % step);
    for (let from = 0; from < whole; from += perPiece) {
      yield* this.#judgePiece(all.subarray(from, Math.min(whole, from + perPiece)));
    }
  }

  /** What was held back, unheard: the utterance ends behind it. */
  finish(): Float32Array {
    const rest = this.#rest;
    this.#rest = NOTHING;
    this.skip(rest.length);
    this.restart();
    return rest;
  }

  /** So much audio went by without being judged. */
  skip(samples: number): void {
    this.#skippedSamples += samples;
  }

  /** The utterance was ended, and not by a rule. */
  restart(): void {
    this.#onsetMs = undefined;
    this.#ear.restart();
  }

  async *#judgePiece(samples: Float32Array): AsyncGenerator<JudgedAudio, void, undefined> {
    const heard = await this.#ear.hear(samples);
    for (let from = 0; from < samples.length; ) {
      let rule: string | undefined;
      const taken = heard.take((state) => {
        rule = findEndpoint(this.#rules, state)?.name;
        if (state.speechMs > 0) this.#onsetMs ??= this.stretchStartMs;
        this.#isQuiet = state.speechMs === 0 || state.trailingSilenceMs >= QUIET_MS;
        return rule !== undefined;
      });
      if (taken === 0) return;
      yield { samples: samples.subarray(from, from + taken), rule, isInWord: !this.#isQuiet };
      if (rule !== undefined) this.restart();
      from += taken;
    }
  }
}

function joined(before: Float32Array, samples: Float32Array): Float32Array {
  if (before.length === 0) return samples;
  const both = new Float32Array(before.length + samples.length);
  both.set(before);
  both.set(samples, before.length);
  return both;
}
