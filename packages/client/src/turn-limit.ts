import type { Usage } from '@kikitori/protocol';
import { TURN_MS_MIN } from './limits.js';

const SAMPLES_PER_MS = 16;
const STEP_SAMPLES = 1_280;
/** What vLLM puts in front of and behind a turn, less what its first step needs: the same at every delay. */
const PADDING_SAMPLES = 12_760;
/** The longest prompt: one token, 32 of silence, and the model's delay of 2.4 s at most. */
const PROMPT_TOKENS_MAX = 63;
/** Kept free: a model that is asked for one token too many ends for everybody (vLLM up to 0.31). */
const SPARE_TOKENS = 2;

/** Steps that vLLM answers a turn of so many samples with, at every delay. */
export function stepsOf(samples: number): number {
  return samples > 0 ? 1 + Math.floor((samples + PADDING_SAMPLES) / STEP_SAMPLES) : 0;
}

/**
 * How much audio the model behind a session bears in one turn. vLLM's `max_model_len` is a bound on tokens: its prompt, and
 * one for each 80 ms. It is given, asked for once, or learned from a turn that the server ended by itself.
 */
export class TurnLimit {
  readonly #ask: (() => Promise<number | undefined>) | undefined;
  #tokens: number | undefined;
  #promptTokens = PROMPT_TOKENS_MAX;
  #isLearned = false;
  #asking: Promise<void> | undefined;
  #isKnown: boolean;
  /** Turns that were ended ahead of it. */
  count = 0;

  /** The limit in tokens, or who finds it out: may answer undefined, and a rejection counts as that. */
  constructor(given: number | (() => Promise<number | undefined>) | undefined) {
    this.#tokens = typeof given === 'number' ? given : undefined;
    this.#ask = typeof given === 'function' ? given : undefined;
    this.#isKnown = this.#ask === undefined;
  }

  /** Nothing more can be found out by asking. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Undefined: none is known. */
  get tokens(): number | undefined {
    return this.#tokens;
  }

  /** Longest audio of one turn, milliseconds; undefined: no limit is known. */
  get turnMsMax(): number | undefined {
    if (this.#tokens === undefined) return undefined;
    const steps = this.#tokens - this.#promptTokens - SPARE_TOKENS;
    return Math.max(TURN_MS_MIN, Math.floor((steps * STEP_SAMPLES - PADDING_SAMPLES) / SAMPLES_PER_MS));
  }

  /** Finds out, once. Never rejects. */
  ask(): Promise<void> {
    this.#asking ??= this.#find();
    return this.#asking;
  }

  /** A turn was answered whole. */
  note(usage: Usage | null): void {
    if (usage !== null && usage.prompt_tokens > 0) {
      this.#promptTokens = Math.min(this.#promptTokens, usage.prompt_tokens);
    }
  }

  /**
   * Whether a turn of a counted server that was ended by it, or that lacks steps, was ended by the limit; then the limit is
   * known from now on. What lacks steps for another reason does so again in the short turn that follows: then false, and
   * what was learned before is forgotten.
   */
  isReached(usage: Usage | null, { isAsked }: { readonly isAsked: boolean }): boolean {
    const tokens = usage?.total_tokens;
    if (!isAsked) {
      this.#learn(tokens);
      return true;
    }
    if (tokens === undefined || tokens === 0) return false;
    if (this.#tokens === undefined) {
      this.#learn(tokens);
      return true;
    }
    if (tokens >= this.#tokens) return true;
    if (this.#isLearned) this.#tokens = undefined;
    return false;
  }

  #learn(tokens: number | undefined): void {
    if (this.#tokens !== undefined || tokens === undefined || tokens === 0) return;
    this.#tokens = tokens;
    this.#isLearned = true;
  }

  async #find(): Promise<void> {
    try {
      this.#tokens ??= await this.#ask?.();
    } catch {
      // What ends a turn shows it later.
    }
    this.#isKnown = true;
  }
}
