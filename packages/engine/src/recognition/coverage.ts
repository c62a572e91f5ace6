/**
 * Speech that no word covers. A word misheard early is forced from then on, and a decoder that is led astray by it may
 * pass over seconds of clear speech. Voice detection knows: it counts speech between the end of one word and the end of
 * the next where healthy decodes leave next to none. Such a stretch is decoded once more, without what led there,
 * before anything behind it is believed. If it comes out the same, so be it.
 */
import type { StreamPolicy } from './policy.js';
import type { SpeechTimeline } from './speech-timeline.js';
import type { PlacedWord, Window } from './window.js';

const SAMPLES_PER_MS = 16;
/** A stretch that begins this close to one that was decoded again is the same one. */
const SAME_PLACE_MS = 500;
/** A window that begins this much elsewhere is another question to the model: it may answer otherwise. */
const OTHER_START_MS = 100;

/** What a word may take by itself, for each letter; a digit is a word of five. */
const LETTER_MS = 60;
const DIGIT_LETTERS = 5;

/** How a window begins anew. */
export interface NewBeginning {
  /** First sample of the new window. */
  readonly start: number;
  /** How many of the heard words are believed: those before the stretch. */
  readonly believed: number;
}

/** What one stream knows of speech that its words did not cover. */
export class Coverage {
  readonly #policy: StreamPolicy;
  readonly #timeline: SpeechTimeline;
  /** Where the last stretch began that was decoded again. Milliseconds. */
  #triedMs = Number.NEGATIVE_INFINITY;
  /** Audio that may be decoded again: a share of what is decoded anyway, so that nobody's humming doubles the work. */
  #spareMs: number;

  constructor(policy: StreamPolicy, timeline: SpeechTimeline) {
    this.#policy = policy;
    this.#timeline = timeline;
    this.#spareMs = policy.batchWindowMsMax;
  }

  /** So much audio was decoded. */
  earn(ms: number): void {
    const { againShare, batchWindowMsMax } = this.#policy;
    this.#spareMs = Math.min(this.#spareMs + ms * againShare, batchWindowMsMax);
  }

  /** So much audio is to be decoded again: false where that would be too much. */
  spend(ms: number): boolean {
    if (ms > this.#spareMs) return false;
    // What is decoded again is counted as decoded, too; it earns nothing.
    this.#spareMs -= ms * (1 + this.#policy.againShare);
    return true;
  }

  /**
   * Looks for speech that `words`, heard behind the committed ones of `window` in its audio up to sample `edge`, leave
   * out, before their last or, with `speechEnd`, up to that sample. Answers with how to decode it again; undefined when
   * there is none, when that was done already, or when it would be too much work.
   */
  judge(
    window: Window,
    words: readonly PlacedWord[],
    edge: number,
    speechEnd?: number,
  ): NewBeginning | undefined {
    const fromMs = this.#firstHole(window, words, speechEnd);
    if (fromMs === undefined) return undefined;
    const isBehind = words.findIndex(({ endMs }) => endMs > fromMs);
    const before = isBehind < 0 ? words.length : isBehind;
    // The word next to the hole may be what led into it: where it is not said yet, it is heard again.
    const believed = Math.max(0, before - 1);
    const start = this.#startBehind(window, words.slice(0, believed));
    const againMs = (edge - (start ?? edge)) / SAMPLES_PER_MS;
    if (start === undefined || !this.spend(againMs)) return undefined;
    this.#triedMs = Math.max(fromMs, start / SAMPLES_PER_MS);
    return { start, believed };
  }

  /** End of the first word behind which too much speech has none, and was not heard twice. Words count by where they were heard, in any order. */
  #firstHole(window: Window, words: readonly PlacedWord[], speechEnd?: number): number | undefined {
    const ends = words.map(({ endMs, text }) => ({ endMs, ownMs: longestMs(text) }));
    const speechEndMs = (speechEnd ?? 0) / SAMPLES_PER_MS;
    // In front of a word it would part that from its own beginning.
    if (ends.every(({ endMs }) => endMs <= speechEndMs)) ends.push({ endMs: speechEndMs, ownMs: 0 });
    let fromMs = window.coveredMs;
    for (const { endMs, ownMs } of ends.sort((a, b) => a.endMs - b.endMs)) {
      const speechMs = this.#timeline.speechMs(fromMs * SAMPLES_PER_MS, endMs * SAMPLES_PER_MS);
      const isNew = fromMs > this.#triedMs + SAME_PLACE_MS;
      if (isNew && speechMs - ownMs > this.#policy.uncoveredMs) return fromMs;
      fromMs = Math.max(fromMs, endMs);
    }
    return undefined;
  }

  /** Where the speech behind the last believed word begins; elsewhere than the window did, or nowhere. */
  #startBehind(window: Window, believed: readonly PlacedWord[]): number | undefined {
    const saidToMs = Math.max(window.coveredMs, ...believed.map(({ endMs }) => endMs));
    const from = Math.round(saidToMs * SAMPLES_PER_MS);
    const onset = this.#timeline.speechStart(from) ?? from;
    const start = Math.max(from, onset - this.#policy.leadMs * SAMPLES_PER_MS);
    if (window.prefix.length > 0 || start - window.start >= OTHER_START_MS * SAMPLES_PER_MS) return start;
    const other = window.start + OTHER_START_MS * SAMPLES_PER_MS;
    return other < onset ? other : undefined;
  }
}

/** Speech that a slow speaker needs for this word. */
function longestMs(text: string): number {
  const digits = text.match(/\p{N}/gu)?.length ?? 0;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return (letters + digits * DIGIT_LETTERS) * LETTER_MS;
}
