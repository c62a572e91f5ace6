import type { Word } from '../events.js';
import { PositionMatcher } from './position-match.js';

/** A word that was told; the last one may still grow. */
export interface ToldWord {
  text: string;
  readonly startMs: number;
  endMs: number;
}

/** The words told since the last utterance was: those that may come again. */
export class ToldWords {
  #words: ToldWord[] = [];
  /** The last of them is not whole. */
  #growing: ToldWord | undefined;
  #text = '';

  get words(): readonly ToldWord[] {
    return this.#words;
  }

  get first(): ToldWord | undefined {
    return this.#words[0];
  }

  get last(): ToldWord | undefined {
    return this.#words.at(-1);
  }

  /** As it was written, letter for letter; of words that were added with it. */
  get text(): string {
    return this.#text.trim();
  }

  /** Adds a whole word. `written`: with what stands between it and the one before. */
  add(word: Word, written = ` ${word.text}`): void {
    this.#growing = undefined;
    this.#words.push({ ...word });
    this.#text += written;
  }

  /** Adds a word to which more may be added. */
  begin(word: Word, written: string): void {
    this.add(word, written);
    this.#growing = this.#words.at(-1);
  }

  /** Adds to the last word. */
  extend(written: string, endMs: number): void {
    this.#text += written;
    const { last } = this;
    if (last === undefined) return;
    last.text = `${last.text}${written}`.trim();
    last.endMs = Math.max(last.endMs, endMs);
  }

  /** The last word is whole. */
  settle(): void {
    this.#growing = undefined;
  }

  /** The first so many are closed with their utterance. */
  drop(count = this.#words.length): void {
    this.#words = this.#words.slice(count);
    this.#text = this.#words.map(({ text }) => ` ${text}`).join('');
    if (this.#words.length === 0) this.#growing = undefined;
  }

  /** Knows again those of them that are heard once more from `originMs` on. */
  matcherFrom(originMs: number, isCounted: boolean): PositionMatcher {
    const again = this.#words.filter(({ endMs }) => endMs > originMs);
    return new PositionMatcher(again, { isGrowing: this.#growing !== undefined, isCounted });
  }
}
