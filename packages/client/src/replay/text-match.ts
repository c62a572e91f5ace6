import { plainText } from './position-match.js';

/** Words of the told text that are compared: two minutes of quick speech. */
const WORDS_MAX = 600;
/** A best place is believed when this much behind it fits worse. */
const FALL = 2;

/**
 * Drops from a text that is heard again what was told of it, for servers that tell no positions.
 *
 * Heard from the same place on, the text usually begins with exactly what was told, and what follows is new: this
 * costs no wait. Otherwise the two are aligned word by word (a match counts 1, another word -½, a missing or added one
 * -1), the end of what was told is where the best alignment ends, and text is held back until the best is clear.
 */
export class TextMatcher {
  readonly #told: string;
  readonly #words: readonly string[];
  /** What is heard begins where the told text begins; otherwise somewhere in it. */
  readonly #isPrefix: boolean;
  /** Heard words before which the end of the told text is not looked for. */
  readonly #wordsMin: number;
  #heard = '';
  #isOver: boolean;
  #isAmbiguous = false;
  /** Scores of the told words against the heard ones so far: one column of the alignment. */
  #column: number[];
  #alignedEnd = 0;
  #heardWords = 0;
  /** The best place so far: where the heard text goes on, words in front of it, and whether the last one fits. */
  #best: { end: number; score: number; words: number; isMatched: boolean };

  /** `overlap`: how much of what was told is to be heard again, 0…1; 1: all of it, from its first word on. */
  constructor(told: string, overlap: number) {
    const words = told.match(/\S+/g) ?? [];
    this.#told = told;
    this.#words = words.slice(-WORDS_MAX);
    this.#isPrefix = overlap >= 1 && words.length <= WORDS_MAX;
    // People do not speak evenly: half of what is expected.
    this.#wordsMin = this.#isPrefix ? 0 : (words.length * overlap) / 2;
    this.#column = ['', ...this.#words].map((_, index) => (this.#isPrefix ? -index : 0));
    this.#best = { end: 0, score: this.#column.at(-1) ?? 0, words: 0, isMatched: false };
    this.#isOver = words.length === 0;
  }

  /** What was told has come again, or will not: whatever follows is new. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The two texts did not fit: something may be doubled or missing where they meet. */
  get isAmbiguous(): boolean {
    return this.#isAmbiguous;
  }

  /** Takes the next text of the new connection; answers with what of it is new. `isLast`: nothing more will come. */
  take(text: string, isLast = false): string {
    if (this.#isOver) return text;
    this.#heard += text;
    if (this.#isPrefix) {
      if (this.#heard.startsWith(this.#told)) return this.#release(this.#told.length);
      if (this.#told.startsWith(this.#heard)) return '';
    }
    const words = /\S+/g;
    words.lastIndex = this.#alignedEnd;
    for (let found = words.exec(this.#heard); found !== null; found = words.exec(this.#heard)) {
      // The last word may go on with the next text.
      if (words.lastIndex === this.#heard.length && !isLast) break;
      this.#alignedEnd = words.lastIndex;
      this.#step(found[0], found.index);
      if (this.#isClear()) return this.#believe();
    }
    return isLast ? this.#believe() : '';
  }

  /** One more heard word: the next column of the alignment. */
  #step(heard: string, start: number): void {
    this.#heardWords += 1;
    const last = this.#words.at(-1) ?? '';
    // A break may have cut the last word told in two.
    const isContinued = heard.startsWith(last);
    const column = [-this.#heardWords];
    let isMatched = false;
    let score = 0;
    for (const [index, told] of this.#words.entries()) {
      const isLast = index === this.#words.length - 1;
      const isSame = plainText(told) === plainText(heard) || (isLast && isContinued);
      const other = (this.#column[index] ?? 0) + (isSame ? 1 : -0.5);
      score = Math.max(other, (this.#column[index + 1] ?? 0) - 1, (column[index] ?? 0) - 1);
      isMatched = isSame && score === other;
      column.push(score);
    }
    this.#column = column;
    if (score <= this.#best.score || this.#heardWords < this.#wordsMin) return;
    const end = start + (isContinued ? last : heard).length;
    this.#best = { end, score, words: this.#heardWords, isMatched };
  }

  #isClear(): boolean {
    const { score, words, isMatched } = this.#best;
    if (this.#heardWords < this.#wordsMin) return false;
    const isGood = isMatched && score >= words * 0.8;
    if (isGood && words === this.#heardWords) return true;
    if ((this.#column.at(-1) ?? 0) > score - FALL) return false;
    // Where nothing fits yet, the end of what was told may still be to come.
    return isGood || this.#isPrefix || this.#heardWords > 4 * this.#wordsMin + FALL;
  }

  #believe(): string {
    const { end, score, words } = this.#best;
    // The first word may have been cut by the place where the audio began again.
    this.#isAmbiguous = this.#isPrefix ? score < this.#words.length : words < 2 || score < words - 1.5;
    return this.#release(end);
  }

  #release(end: number): string {
    this.#isOver = true;
    return this.#heard.slice(end);
  }
}
