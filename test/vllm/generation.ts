/** One utterance of the stand-in of vLLM: from `commit` to `transcription.done`, a delta for every 80 ms of audio. */
import { sleep } from '@kikitori/core';
import type { StandInTraits } from './stand-in.js';

/** One step of the model: 80 ms of audio, one token, one delta. */
export interface Step {
  /** From 0, in this utterance. */
  readonly index: number;
  /** What the client has sent for this utterance so far. */
  readonly samples: number;
  /** None comes behind it. */
  readonly isLast: boolean;
}

/** Decides the words of one utterance. */
export interface Speaker {
  /** Told of audio as it comes in. */
  hear?(samples: Int16Array): void;
  /** The text of a step's delta; mostly none. */
  speak(step: Step): string;
}

/** How an utterance came out. */
export type Outcome =
  | { readonly type: 'done'; readonly isUnasked: boolean; readonly text: string; readonly usage: Usage }
  | { readonly type: 'failed'; readonly text: string };

/** In the order of the wire. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details: null;
  /** From 0.29 on. */
  readonly completion_tokens_details?: null;
}

/** What an utterance needs of its session. */
export interface GenerationHost {
  readonly tell: (delta: string) => Promise<void>;
  /** `max_model_len` is reached, and more was to come: the engine dies, or the utterance ends. */
  readonly onLimit: () => void;
  /** Ends with the session. */
  readonly signal: AbortSignal;
}

const STEP_SAMPLES = 1_280;
const STEP_MS = 80;
/** A step looks 2.5 ms ahead of its end. */
const LOOK_AHEAD_SAMPLES = 40;
/** Silence in front of the audio, which the prompt covers together with the delay and one token that begins the text. */
const LEFT_PAD_STEPS = 32;
/** Silence behind the audio, beside the delay: one step, and ten for a word that is long. */
const RIGHT_PAD_STEPS = 11;
/** `VLLM_ENGINE_ITERATION_TIMEOUT_S`, in versions before 0.25. */
const DEAF_AFTER_MS = 60_000;

export class Generation {
  readonly #traits: StandInTraits;
  readonly #host: GenerationHost;
  readonly #speaker: Speaker;
  readonly #delaySteps: number;
  #samples = 0;
  #isEnded = false;
  #isStepping = false;
  /** At the limit: nothing more is heard, and nothing of the padding either. */
  #isOver = false;
  #failure: string | undefined;
  #wake: () => void = () => undefined;

  constructor(traits: StandInTraits, host: GenerationHost) {
    this.#traits = traits;
    this.#host = host;
    this.#speaker = traits.openSpeaker();
    this.#delaySteps = traits.delayMs / STEP_MS;
  }

  /** The end marker has been taken from the queue: what comes now is left in it. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isStepping(): boolean {
    return this.#isStepping;
  }

  hear(samples: Int16Array): void {
    if (this.#isOver) return;
    this.#samples += samples.length;
    this.#speaker.hear?.(samples);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  fail(text: string): void {
    this.#failure ??= text;
    this.#wake();
  }

  /** Rejects when the session has ended. */
  async run(): Promise<Outcome> {
    const { age, clock, maxModelLen } = this.#traits;
    const promptTokens = 1 + LEFT_PAD_STEPS + this.#delaySteps;
    let text = '';
    let steps = 0;
    let heardAtMs = clock.nowMs();
    while (!this.#isOver && (await this.#isStepDue(steps))) {
      if (promptTokens + steps >= maxModelLen) {
        this.#host.onLimit();
        break;
      }
      // The tokens of this version are fed back by somebody who does not wait longer: without them there is no next step.
      const isDeaf = age === '0.17.1' && clock.nowMs() - heardAtMs > DEAF_AFTER_MS;
      // Seen before the next step is wanted, whether there is audio for it or not.
      this.#isOver = age === '0.32' && promptTokens + steps + 1 >= maxModelLen && !this.#isLast(steps);
      const delta = await this.#step(steps);
      if (this.#failure !== undefined) break;
      text += delta;
      steps += 1;
      heardAtMs = clock.nowMs();
      await this.#host.tell(delta);
      if (isDeaf) await this.#sleepForEver();
    }
    if (this.#isOver) this.#host.onLimit();
    if (this.#failure !== undefined) return { type: 'failed', text: this.#failure };
    if (steps === 0 && age !== '0.32') return await this.#answerNothing();
    const usage = this.#usage(steps === 0 ? 0 : promptTokens, steps);
    return { type: 'done', isUnasked: this.#isOver, text, usage };
  }

  async #step(index: number): Promise<string> {
    this.#isStepping = true;
    const { clock, stepMs } = this.#traits;
    if (stepMs > 0) await sleep(clock, stepMs, { signal: this.#host.signal });
    this.#isStepping = false;
    if (this.#failure !== undefined) return '';
    const isLast = this.#isLast(index);
    return this.#speaker.speak({ index, samples: this.#samples, isLast });
  }

  /** Waits for audio. False: it was ended, and what is left makes no step; or it has failed. */
  async #isStepDue(index: number): Promise<boolean> {
    for (;;) {
      this.#host.signal.throwIfAborted();
      if (this.#failure !== undefined) return false;
      if (this.#samplesFor(index) <= this.#available) return true;
      if (this.#isEnded) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #isLast(index: number): boolean {
    return this.#isEnded && this.#samplesFor(index + 1) > this.#available;
  }

  /** Of the client, and of the padding behind it. */
  #samplesFor(index: number): number {
    return (1 + this.#delaySteps + index) * STEP_SAMPLES + LOOK_AHEAD_SAMPLES;
  }

  get #available(): number {
    if (this.#samples === 0) return 0;
    return this.#samples + (this.#isEnded ? (RIGHT_PAD_STEPS + this.#delaySteps) * STEP_SAMPLES : 0);
  }

  /** Before 0.32 an empty utterance was a request for one token, without audio. */
  async #answerNothing(): Promise<Outcome> {
    const text = '';
    await this.#host.tell(text);
    return { type: 'done', isUnasked: false, text, usage: this.#usage(1, 1) };
  }

  #usage(promptTokens: number, completionTokens: number): Usage {
    return {
      prompt_tokens: promptTokens,
      total_tokens: promptTokens + completionTokens,
      completion_tokens: completionTokens,
      prompt_tokens_details: null,
      ...(this.#traits.age === '0.17.1' ? {} : { completion_tokens_details: null }),
    };
  }

  #sleepForEver(): Promise<never> {
    return new Promise((_, reject) => {
      this.#host.signal.addEventListener('abort', () => reject(this.#host.signal.reason), { once: true });
    });
  }
}
