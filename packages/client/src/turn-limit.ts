import type { Usage } from '@kikitori/protocol';
import { TURN_MS_MIN } from './limits.js';

const SAMPLES_PER_MS = 16;
const STEP_SAMPLES = 1_280;
/** What vLLM puts in front of and behind a turn, less what its first step needs: the same at every delay. */
const PADDING_SAMPLES = 12_760;
/** A prompt: one token, 32 of silence, and the model's delay of 0.08 to 2.4 s. */
const PROMPT_TOKENS_MAX = 63;
const PROMPT_TOKENS_MIN = 34;
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

  /** Whether the usage is that of a model which takes a step for each of so many deltas. */
  isOfSteps(usage: Usage | null, steps: number): usage is Usage {
    if (usage === null || usage.completion_tokens !== steps) return false;
    return usage.prompt_tokens >= PROMPT_TOKENS_MIN && usage.prompt_tokens <= PROMPT_TOKENS_MAX;
  }

  /** A turn was answered whole, with so many deltas. Answers `isOfSteps`. */
  note(usage: Usage | null, steps: number): boolean {
    const isOfSteps = this.isOfSteps(usage, steps);
    if (isOfSteps) this.#promptTokens = Math.min(this.#promptTokens, usage.prompt_tokens);
    return isOfSteps;
  }

  /**
   * Whether a turn that was ended unasked, or that lacks steps, was ended by the limit; then the limit is known from now on.
   * Only where the usage `isOfSteps`. What lacks steps for another
   * reason does so again in the short turn that follows: then false, and what was learned before is forgotten.
   */
  isReached(
    usage: Usage | null,
    { isAsked, steps }: { readonly isAsked: boolean; readonly steps: number },
  ): boolean {
    if (!this.isOfSteps(usage, steps)) return false;
    const tokens = usage.total_tokens;
    if (!isAsked) {
      this.#learn(tokens);
      return true;
    }
    if (this.#tokens === undefined) {
      this.#learn(tokens);
      return true;
    }
    if (tokens >= this.#tokens) return true;
    if (this.#isLearned) this.#tokens = undefined;
    return false;
  }

  #learn(tokens: number): void {
    if (this.#tokens !== undefined) return;
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
