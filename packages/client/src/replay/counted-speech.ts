import { CountedTurn, STEP_MS } from './counted-turn.js';
import type { PieceWord, WordPiece } from './piece-words.js';
import type { PositionMatcher } from './position-match.js';
import type { ToldWords } from './told-words.js';

/** So many steps without a word, and an utterance of a server that finds none is over: 1.2 s. */
const GAP_STEPS = 15;
/** A server whose deltas are so far ahead of the audio says more than one for each step: vLLM's padding is 3.3 s at most. */
const AHEAD_MS_MAX = 4_000;

const NEEDS_NO_SPACE = /^[\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{P}]/u;

/** What becomes of the word that is being written: told piece by piece, judged when it is whole, or left to the next turn. */
type Fate = 'told' | 'waiting' | 'withheld';

/**
 * Places the words of a server that tells no places by counting its deltas, and decides which of them are told: while what
 * was told comes again, words wait until they are whole and are judged; behind a seam they are left to the next turn.
 */
export class CountedSpeech {
  readonly #told: ToldWords;
  #counts: 'unknown' | 'yes' | 'no' = 'unknown';
  #originMs = 0;
  #turn = new CountedTurn(0);
  #fate: Fate = 'told';
  /** Words that begin behind it are left to the next turn. */
  #seamMs = Number.POSITIVE_INFINITY;
  /** Text was told in front of this turn, and nothing of it yet: a model may begin without a space. */
  #isJoint = false;

  /** `told`: shared with the ledger. */
  constructor(told: ToldWords) {
    this.#told = told;
  }

  /** Whether deltas are steps: none was empty yet; one was, or their number was right; they cannot be. */
  get counts(): 'unknown' | 'yes' | 'no' {
    return this.#counts;
  }

  /** Deltas since the running turn began. */
  get steps(): number {
    return this.#turn.steps;
  }

  /** Nothing was written for so long that an utterance is over. */
  get isGap(): boolean {
    return this.#turn.quietSteps >= GAP_STEPS && this.#seamMs === Number.POSITIVE_INFINITY;
  }

  /** Audio up to here was answered. */
  reachedMs(sentMs: number): number {
    return this.#turn.reachedMs(sentMs);
  }

  /** Every word that ends before it has come. */
  settledMs(sentMs: number): number {
    return Math.min(this.#turn.settledMs(sentMs), this.#seamMs);
  }

  /** Its deltas are steps although none was empty, or are none whatever they looked like. */
  believe(isCounted: boolean): void {
    if (!isCounted || this.#counts === 'unknown') this.#counts = isCounted ? 'yes' : 'no';
  }

  /** The place next in front of this one from which on steps end where those of the running turn do, but not in front of `floorMs`. */
  align(ms: number, floorMs: number): number {
    const alignedMs = this.#originMs + Math.floor((ms - this.#originMs) / STEP_MS) * STEP_MS;
    return alignedMs < floorMs ? alignedMs + STEP_MS : alignedMs;
  }

  /** `isBehindText`: what is told goes on with a text that was begun in front of this turn. */
  beginTurn(originMs: number, isBehindText: boolean): void {
    this.#originMs = originMs;
    this.#turn = new CountedTurn(originMs);
    this.#fate = 'told';
    this.#seamMs = Number.POSITIVE_INFINITY;
    this.#isJoint = isBehindText;
  }

  /** Words that begin behind it are withheld from now on. Answers where that really is: what was told is told. */
  hold(seamMs: number, settledMs: number): number {
    this.#seamMs = Math.max(seamMs, settledMs, this.#told.last?.endMs ?? 0);
    return this.#seamMs;
  }

  /** Only counts. */
  pass(delta: string, sentMs: number): void {
    this.#look(delta, sentMs);
    for (const _ of this.#turn.take(delta, sentMs));
  }

  /** Answers what of a delta is told now. `again`: what was told comes again. */
  take(delta: string, sentMs: number, again: PositionMatcher | undefined): string {
    this.#look(delta, sentMs);
    let text = '';
    for (const piece of this.#turn.take(delta, sentMs)) text += this.#follow(piece, again);
    return text;
  }

  /** The turn is over, and so is its last word. Answers what of it is told. */
  finish(again: PositionMatcher | undefined): string {
    let text = '';
    for (const piece of this.#turn.finish()) text += this.#follow(piece, again);
    return text;
  }

  #look(delta: string, sentMs: number): void {
    const isAhead = this.#turn.steps * STEP_MS > sentMs - this.#originMs + AHEAD_MS_MAX;
    if (isAhead) this.#counts = 'no';
    else if (delta === '' && this.#counts === 'unknown') this.#counts = 'yes';
  }

  #follow(piece: WordPiece, again: PositionMatcher | undefined): string {
    const { word } = piece;
    if (piece.type === 'whole') return this.#whole(word, again);
    if (piece.type === 'begin') {
      if (again?.isOver === false) this.#fate = 'waiting';
      else this.#fate = word.endMs > this.#seamMs ? 'withheld' : 'told';
    }
    if (this.#fate !== 'told') return '';
    if (piece.type === 'more') {
      this.#told.extend(piece.text, word.endMs);
      return piece.text;
    }
    const text = this.#joined(piece.text);
    this.#told.begin(wordOf(word), text);
    return text;
  }

  /** A word is whole; one that waited is told if it is new. */
  #whole(word: PieceWord, again: PositionMatcher | undefined): string {
    if (this.#fate === 'told') this.#told.settle();
    const fate = this.#fate;
    this.#fate = 'told';
    if (fate !== 'waiting' || again === undefined || word.written.trim() === '') return '';
    const heard = wordOf(word);
    const verdict = again.judge(heard);
    if (again.isOver) this.#told.settle();
    if (verdict === 'again') return '';
    if (verdict !== 'new') {
      this.#isJoint = false;
      this.#told.extend(verdict.rest, heard.endMs);
      return verdict.rest;
    }
    const written = this.#joined(word.written);
    this.#told.add(heard, written);
    return written;
  }

  /** The first word of a turn, apart from the text in front of it; writing without spaces stays as it is. */
  #joined(written: string): string {
    const needsSpace = this.#isJoint && !NEEDS_NO_SPACE.test(written);
    this.#isJoint = false;
    return needsSpace ? ` ${written}` : written;
  }
}

function wordOf({ written, startMs, endMs }: PieceWord): {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
} {
  return { text: written.trim(), startMs, endMs };
}
