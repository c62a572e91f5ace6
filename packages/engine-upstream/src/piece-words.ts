import type { Word } from '@kikitori/engine';

/** A word's first piece comes at most so long after it has begun, mostly. */
const WORD_HEAD_MS = 300;
/** So many deltas without a piece, and the word is whole: some models say pieces of one word far apart. */
const WHOLE_AFTER_DELTAS = 12;
/** Writing without spaces: each character may stand alone. */
const SPACELESS = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]`;
const BEGINS_WORD = new RegExp(String.raw`^(?:\s|${SPACELESS})`, 'u');
const ENDS_WORD = new RegExp(`${SPACELESS}$`, 'u');

/** Makes words of the pieces that a model writes: a word begins with a space, and ends where its last piece came. */
export class PieceWords {
  #text = '';
  #startMs = 0;
  #endMs = 0;
  #quietDeltas = 0;

  /** The word that may get further pieces; undefined: there is none. */
  get pending(): Word | undefined {
    const text = this.#text.trim();
    return text === '' ? undefined : { text, startMs: this.#startMs, endMs: this.#endMs };
  }

  /** Takes a delta of text that was spoken up to `atMs`; no word begins before `floorMs`. Answers words that are whole now. */
  take(delta: string, atMs: number, floorMs: number): Word[] {
    const whole: Word[] = [];
    this.#quietDeltas += 1;
    for (const piece of delta === '' ? [] : delta.split(/(?<=\S)(?=\s)/u)) {
      if (BEGINS_WORD.test(piece) || ENDS_WORD.test(this.#text)) whole.push(...this.finish());
      this.#add(piece, atMs, whole.at(-1)?.endMs ?? floorMs);
    }
    if (this.#quietDeltas >= WHOLE_AFTER_DELTAS) whole.push(...this.finish());
    return whole;
  }

  /** Nothing more comes: what is pending is whole. */
  finish(): Word[] {
    const { pending } = this;
    // Space alone belongs to the word behind it.
    if (pending === undefined) return [];
    this.#text = '';
    return [pending];
  }

  #add(piece: string, atMs: number, floorMs: number): void {
    if (this.#text.trim() === '') {
      this.#startMs = Math.max(floorMs, atMs - WORD_HEAD_MS);
      this.#endMs = this.#startMs;
    }
    this.#endMs = Math.max(this.#endMs, atMs);
    this.#text += piece;
    this.#quietDeltas = 0;
  }
}
