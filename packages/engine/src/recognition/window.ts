/**
 * The stretch of audio under recognition: which of its words are committed, and what the last decode guessed behind
 * them. Positions are sample numbers of the stream; word times are milliseconds of the stream.
 */
import type { DecodeResult, HeardWord, Vocabulary } from '../decoder.js';
import type { Word } from '../engine.js';
import type { StreamPolicy } from './policy.js';
import { loopStart, spokenText } from './repetition.js';

const SAMPLES_PER_MS = 16;
/** Attention this far behind what was heard already is no slip of a frame or two. */
const BACKWARD_MS = 60;

/** A word of the window, on the stream's timeline. */
export interface PlacedWord {
  readonly tokens: readonly number[];
  readonly text: string;
  readonly endMs: number;
  /** Natural logarithm of its least likely token's probability. */
  readonly logProbability: number;
  /** Of its tokens, summed: how undecided the model was, in nats. */
  readonly entropy: number;
}

/** What a decode heard behind the committed words. */
export interface Heard {
  readonly words: readonly PlacedWord[];
  /** The last word cannot grow any more: the model had gone on to guess what follows it. */
  readonly isLastWhole: boolean;
  /** Something was not believed: a loop, an echo, an invention. */
  readonly hasDropped: boolean;
}

export class Window {
  /** First sample that is decoded. */
  start: number;
  /** Committed words that the window still covers, oldest first. */
  #committed: PlacedWord[] = [];
  /** What the last decode heard behind them. */
  #tail: PlacedWord[] = [];

  /** Where the speech behind a pause began, in a window that was carried over it: nobody spoke before. Milliseconds. */
  #spokenFromMs = 0;

  /** The last decode held something that was not believed: a loop, an echo, an invention. */
  hasDropped = false;

  constructor(start: number) {
    this.start = start;
  }

  get prefix(): number[] {
    return this.#committed.flatMap((word) => [...word.tokens]);
  }

  /** The unstable tail as tokens: a draft for the next decode. */
  get draft(): number[] {
    return this.#tail.flatMap((word) => [...word.tokens]);
  }

  get tailText(): string {
    return this.#tail.map((word) => word.text).join(' ');
  }

  /** End of the last committed word; the window's start when there is none. Milliseconds. */
  get settledMs(): number {
    return this.#committed.at(-1)?.endMs ?? this.start / SAMPLES_PER_MS;
  }

  /** Furthest end of a committed word: the last one may be placed before others. Milliseconds. */
  get coveredMs(): number {
    return Math.max(this.start / SAMPLES_PER_MS, ...this.#committed.map(({ endMs }) => endMs));
  }

  /** What a decode's result over the audio up to sample `edge` holds behind the committed words; says nothing of it. */
  hear(result: DecodeResult, edge: number, whole: boolean, vocabulary: Vocabulary): Heard {
    const prefix = this.prefix;
    const kept = loopStart([...prefix, ...result.tokens], result.endMs) - prefix.length;
    const tokens = result.tokens.slice(0, Math.max(0, kept));
    const placed = this.place(tokens, result, edge, vocabulary);
    const invented = this.#inventedCount(placed);
    // Once the speech is over a single word that was placed oddly is still a word; more of them are an echo.
    const words = whole && invented < 2 ? placed : placed.slice(0, placed.length - invented);
    const isLastWhole = invented > 0 && tokens.length === result.tokens.length;
    const hasDropped = words.length < placed.length || tokens.length < result.tokens.length;
    return { words, isLastWhole, hasDropped };
  }

  /** These first tokens of a decode's result as words, believed or not. */
  place(
    tokens: readonly number[],
    { logProbabilities, entropies, endMs }: DecodeResult,
    edge: number,
    vocabulary: Vocabulary,
  ): PlacedWord[] {
    const heard = { logProbabilities, entropies, endMs: endMs.slice(this.prefix.length) };
    return vocabulary.words(tokens, heard).map((word) => this.#place(word, edge));
  }

  /**
   * Takes a decode's result over the audio up to sample `edge` and commits what is stable; all of it when `whole`.
   * Returns the words that became stable.
   */
  take(
    result: DecodeResult,
    edge: number,
    whole: boolean,
    policy: StreamPolicy,
    vocabulary: Vocabulary,
  ): PlacedWord[] {
    const { words, isLastWhole, hasDropped } = this.hear(result, edge, whole, vocabulary);
    this.hasDropped = hasDropped;
    const stable = whole
      ? words.length
      : this.#stableCount(words, isLastWhole, edge / SAMPLES_PER_MS, policy);
    const fresh = words.slice(0, stable);
    this.#committed.push(...fresh);
    this.#tail = words.slice(stable);
    return fresh;
  }

  /** Commits what the last decode guessed: no better guess will come. */
  takeTail(): PlacedWord[] {
    const fresh = this.#tail;
    this.#committed.push(...fresh);
    this.#tail = [];
    return fresh;
  }

  /**
   * How many words at the end were not heard but invented. A model that has no more audio to lean on guesses on, or
   * says again what it said: its attention then falls back, mostly to the beginning of the window. Single words in
   * the middle that do so are misplaced, not invented: later ones are ahead of them again.
   */
  #inventedCount(words: readonly PlacedWord[]): number {
    let furthestMs = this.settledMs;
    let heard = 0;
    for (const [i, { endMs }] of words.entries()) {
      if (endMs < furthestMs - BACKWARD_MS && !isSlip(words, i, furthestMs)) continue;
      furthestMs = Math.max(furthestMs, endMs);
      heard = i + 1;
    }
    return words.length - heard;
  }

  /** How many of the heard words are safe: far enough behind the newest audio, and followed by another word. */
  #stableCount(
    heard: readonly PlacedWord[],
    isLastWhole: boolean,
    edgeMs: number,
    policy: StreamPolicy,
  ): number {
    // The last word may still grow ("any" → "anything"), unless the model had gone on to guess what follows it.
    const last = isLastWhole ? heard.length : heard.length - 1;
    let count = 0;
    for (let i = 0; i < last; i += 1) {
      const word = heard[i];
      if (word === undefined || word.endMs > edgeMs - this.#holdMs(word, i, policy)) break;
      count = i + 1;
    }
    return count;
  }

  /** How far behind the newest audio this word must end to be said. */
  #holdMs(word: PlacedWord, index: number, policy: StreamPolicy): number {
    // Heard in the pause: an echo of the context, mostly, and the model is sure of it again and again.
    if (word.endMs <= this.#spokenFromMs) return policy.holdMs;
    const before = this.#tail[index];
    if (before !== undefined && isSameWord(before.text, word.text)) return policy.agreedHoldMs;
    return word.logProbability >= policy.sureLogProbability ? policy.sureHoldMs : policy.holdMs;
  }

  /**
   * Drops the committed beginning of a window longer than the policy allows, so that some context stays before `edge`.
   * Cuts behind a committed word; the words still covered stay forced.
   */
  trim(edge: number, policy: StreamPolicy, isBusy: boolean): void {
    const { windowMsMax, contextMs } = isBusy
      ? { windowMsMax: policy.busyWindowMsMax, contextMs: policy.busyContextMs }
      : policy;
    if (edge - this.start <= windowMsMax * SAMPLES_PER_MS) return;
    const latestMs = edge / SAMPLES_PER_MS - contextMs;
    // Only the later half: cutting too little means cutting again at once.
    this.#cutBetween(latestMs - contextMs, latestMs);
  }

  /**
   * Keeps at most `contextMs` before the speech that begins at `speechStart` as its context. False when no word is left
   * to lean on.
   */
  carry(speechStart: number, contextMs: number): boolean {
    this.#spokenFromMs = speechStart / SAMPLES_PER_MS;
    const earliestMs = this.#spokenFromMs - contextMs;
    if (this.start / SAMPLES_PER_MS < earliestMs && !this.#cutBetween(earliestMs, earliestMs + contextMs / 2))
      return false;
    return this.#committed.length > 0;
  }

  /** Cuts behind the committed word of that stretch of time that is followed by the longest gap. */
  #cutBetween(fromMs: number, toMs: number): boolean {
    let best = -1;
    let bestGapMs = -1;
    for (let i = 0; i < this.#committed.length - 1; i += 1) {
      const endMs = this.#committed[i]?.endMs ?? 0;
      const gapMs = (this.#committed[i + 1]?.endMs ?? 0) - endMs;
      if (endMs < fromMs || endMs > toMs || gapMs < bestGapMs) continue;
      best = i;
      bestGapMs = gapMs;
    }
    const cut = this.#committed[best];
    if (cut === undefined) return false;
    this.start = Math.max(this.start, Math.round(cut.endMs * SAMPLES_PER_MS));
    this.#committed = this.#committed.slice(best + 1);
    return true;
  }

  #place(word: HeardWord, edge: number): PlacedWord {
    const heardMs = Math.max(this.start / SAMPLES_PER_MS + word.endMs, this.#spokenFromMs);
    return { ...word, endMs: Math.min(heardMs, edge / SAMPLES_PER_MS) };
  }
}

/** Whether two decodes heard the same word; how it is written is settled later in the sentence than what it is. */
function isSameWord(one: string, other: string): boolean {
  return spokenText(one) === spokenText(other);
}

/**
 * Is it the word before that was placed too far ahead, and not this one too far back? Then this one and those that
 * follow it ascend, from behind the one before the odd one, and reach it again.
 */
function isSlip(words: readonly PlacedWord[], index: number, furthestMs: number): boolean {
  const before = words[index - 2]?.endMs ?? 0;
  const rest = words.slice(index);
  const ascends = rest.every(({ endMs }, i) => endMs > (i === 0 ? before : (rest[i - 1]?.endMs ?? 0)));
  return index > 0 && rest.length > 1 && ascends && (rest.at(-1)?.endMs ?? 0) > furthestMs - BACKWARD_MS * 5;
}

/** Words with start times: a word begins where the one before ended, or where the silence between them ends. */
export function placeStarts(
  words: readonly { readonly text: string; readonly endMs: number }[],
  previousEndMs: number,
  silenceEndMs: (fromMs: number, toMs: number) => number | undefined,
): Word[] {
  let floorMs = previousEndMs;
  return words.map(({ text, endMs }) => {
    const end = Math.max(Math.round(endMs), floorMs);
    const start = Math.min(Math.round(silenceEndMs(floorMs, end - 40) ?? floorMs), end);
    floorMs = end;
    return { text, startMs: start, endMs: end };
  });
}

/** The same answer once its first words are committed, and so part of the prefix. */
export function behind(words: readonly PlacedWord[], result: DecodeResult): DecodeResult {
  const count = words.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return {
    ...result,
    tokens: result.tokens.slice(count),
    logProbabilities: result.logProbabilities.slice(count),
    entropies: result.entropies.slice(count),
  };
}
