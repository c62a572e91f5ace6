import type { Word } from '../events.js';

/** How far ahead the same word is looked for when one was heard differently. */
const AHEAD = 4;
/** The same word, heard again with other neighbours, may lie elsewhere by this much. */
const SHIFT_MS_MAX = 2_000;

/** A word of which only a part was told begins where that part began. */
const PART_SHIFT_MS_MAX = 400;

/** For comparison: what is heard again may differ in case and punctuation. */
export function plainText(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Where a word lies. */
export function middleOf({ startMs, endMs }: Word): number {
  return (startMs + endMs) / 2;
}

/** What a word that is heard once more is: one that was told, a new one, or the rest of one that was told in part. */
export type Verdict = 'again' | 'new' | { readonly rest: string };

/**
 * Tells words that are heard again from new ones, by text and place. Words that a recogniser repeats as they were are
 * recognised whatever their times; where it hears something else this time, the place decides: what lies before the
 * end of the last word that was told is not told again.
 */
export class PositionMatcher {
  readonly #told: readonly Word[];
  readonly #isGrowing: boolean;
  readonly #placeOf: (word: Word) => number;
  #next = 0;

  /**
   * `told`: the words that may come again, in order. `isGrowing`: a part of the last one may be missing. `isCounted`: only
   * their ends are known well.
   */
  constructor(told: readonly Word[], { isGrowing = false, isCounted = false } = {}) {
    this.#told = told;
    this.#isGrowing = isGrowing;
    this.#placeOf = isCounted ? ({ endMs }) => endMs : middleOf;
  }

  /** Everything told has come again: whatever follows is new. */
  get isOver(): boolean {
    return this.#next >= this.#told.length;
  }

  /** Takes the next word of the new connection. */
  judge(word: Word): Verdict {
    if (this.isOver) return 'new';
    const text = plainText(word.text);
    for (const [ahead, told] of this.#told.slice(this.#next, this.#next + AHEAD).entries()) {
      if (Math.abs(middleOf(told) - middleOf(word)) > SHIFT_MS_MAX) continue;
      const isLast = this.#next + ahead === this.#told.length - 1;
      const isNear = Math.abs(told.startMs - word.startMs) <= PART_SHIFT_MS_MAX;
      const isPart = isLast && this.#isGrowing && isNear && word.text.startsWith(told.text);
      if (plainText(told.text) !== text && !isPart) continue;
      this.#next += ahead + 1;
      return isPart && word.text !== told.text ? { rest: word.text.slice(told.text.length) } : 'again';
    }
    const lastEndMs = this.#told.at(-1)?.endMs ?? 0;
    if (this.#placeOf(word) > lastEndMs) {
      this.#next = this.#told.length;
      return 'new';
    }
    for (let told = this.#told[this.#next]; told !== undefined; told = this.#told[this.#next]) {
      if (this.#placeOf(told) > this.#placeOf(word)) break;
      this.#next += 1;
    }
    return 'again';
  }
}
