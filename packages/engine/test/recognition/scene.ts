import { expect } from 'vitest';
import { violationsOf } from '../../src/conformance/violations.js';
import type { DecodeRequest, DecodeResult } from '../../src/decoder.js';
import type { Hypothesis, Word } from '../../src/index.js';
import type { DoubtRule } from '../../src/recognition/doubt.js';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';
import { type DecodePlan, Recogniser } from '../../src/recognition/recogniser.js';
import { Lexicon, WORDS } from './lexicon.js';

/**
 * A speaker and a model that hears perfectly, except at the newest edge: there it invents a word, as real ones do.
 * A word is told by its token: its place among `WORDS`.
 */
const vocabulary = new Lexicon();
const FRAME = 512;
const PER_MS = 16;

export interface Spoken {
  readonly token: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** Words of `lengthsMs`, with the gap before each; never the same word twice in a row. */
export function speak(script: readonly { gapMs: number; lengthMs: number }[]): Spoken[] {
  let at = 0;
  return script.map(({ gapMs, lengthMs }, i) => {
    const startMs = at + gapMs;
    at = startMs + lengthMs;
    return { token: i % WORDS.length, startMs, endMs: at };
  });
}

export class Scene {
  readonly #spoken: readonly Spoken[];
  readonly recogniser: Recogniser;
  readonly said: Hypothesis[] = [];
  /** How undecided the model is at each word. */
  entropy = 0.2;
  decodes = 0;
  longestMs = 0;
  /** Audio of all decodes, summed. */
  decodedMs = 0;
  #fed = 0;
  #invented = 0;

  constructor(
    spoken: readonly Spoken[],
    mode: 'live' | 'batch' = 'live',
    isBusy = false,
    policy = DEFAULT_POLICY,
    doubt?: DoubtRule,
  ) {
    this.#spoken = spoken;
    this.recogniser = new Recogniser({
      policy,
      vocabulary,
      mode,
      partials: true,
      doubt,
      onsets: true,
      isBusy: () => isBusy,
      endpoint: (utteranceMs, silenceMs) =>
        silenceMs >= 600 ? 'pause' : utteranceMs >= 30_000 ? 'limit' : undefined,
    });
  }

  feed(ms: number): void {
    const samples = new Float32Array(ms * PER_MS);
    // The samples carry their own number, so that the model can tell which part it was given.
    for (let i = 0; i < samples.length; i += 1) samples[i] = this.#fed + i;
    const before = Math.floor(this.#fed / FRAME);
    this.#fed += samples.length;
    this.recogniser.pushAudio(samples);
    const frames = Math.floor(this.#fed / FRAME) - before;
    this.recogniser.pushProbabilities(
      Float32Array.from({ length: frames }, (_, i) => this.#voice((before + i) * FRAME)),
    );
  }

  /** Runs what there is to run, and takes what is said. */
  work(): void {
    for (let plan = this.#plan(); plan !== undefined; plan = this.#plan()) {
      const request = this.recogniser.begin(plan);
      this.recogniser.finish(this.hear(request));
      this.#take();
    }
  }

  begin(): DecodeRequest | undefined {
    const plan = this.#plan();
    return plan === undefined ? undefined : this.recogniser.begin(plan);
  }

  finish(request: DecodeRequest): void {
    this.recogniser.finish(this.hear(request));
    this.#take();
  }

  hear(request: DecodeRequest): DecodeResult {
    this.decodes += 1;
    // Silence may have been put around them.
    const first = request.samples.findIndex((sample) => sample > 0);
    const from = ((request.samples[first] ?? 0) - first) / PER_MS;
    const to = from + (request.samples.findLastIndex((sample) => sample > 0) + 1) / PER_MS;
    this.longestMs = Math.max(this.longestMs, to - from);
    this.decodedMs += to - from;
    const inside = this.#spoken.filter((word) => {
      return word.endMs > from + 60 && word.startMs < to - 100 && this.hears(word, request);
    });
    const whole = inside.filter(({ endMs }) => endMs <= to);
    const heard = whole.map(({ token, endMs }) => ({ token, endMs: endMs - from }));
    // Half a word at the edge is heard as another one, a different one each time.
    if (inside.length > whole.length) {
      this.#invented += 1;
      heard.push({ token: 1000 + (this.#invented % 900), endMs: to - from });
    }
    const prefix = [...request.prefix];
    expect(heard.slice(0, prefix.length).map(({ token }) => token)).toEqual(prefix);
    const tail = heard.slice(prefix.length);
    return {
      tokens: tail.map(({ token }) => token),
      logProbabilities: tail.map(() => -0.1),
      entropies: tail.map(() => this.entropy),
      endMs: heard.map(({ endMs }) => endMs),
      ended: true,
    };
  }

  /** Whether the model hears this word when it is asked so. A perfect one does. */
  protected hears(_word: Spoken, _request: DecodeRequest): boolean {
    return true;
  }

  get words(): Word[] {
    return this.said.flatMap((hypothesis) => (hypothesis.type === 'words' ? [...hypothesis.words] : []));
  }

  get text(): string[] {
    return this.words.map(({ text }) => text);
  }

  get expected(): string[] {
    return this.#spoken.map(({ token }) => WORDS[token] ?? '');
  }

  #plan(): DecodePlan | undefined {
    const plan = this.recogniser.plan();
    this.#take();
    return plan;
  }

  #take(): void {
    this.said.push(...this.recogniser.drain());
  }

  #voice(sample: number): number {
    const ms = sample / PER_MS;
    return this.#spoken.some(({ startMs, endMs }) => ms + 16 >= startMs && ms + 16 < endMs) ? 0.95 : 0.02;
  }
}

/** What `Hypothesis` promises in the seam's description. */
export function checkGuarantees(said: readonly Hypothesis[]): void {
  expect(violationsOf(said)).toEqual([]);
}
