/** A word's first piece comes at most so long after it has begun, mostly. */
const WORD_HEAD_MS = 300;
/** So many deltas without a piece, and the word is whole: some models say pieces of one word far apart. */
const WHOLE_AFTER_DELTAS = 12;
/** Writing without spaces: each character may stand alone. */
const SPACELESS = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]`;
const BEGINS_WORD = new RegExp(String.raw`^(?:\s|${SPACELESS})`, 'u');
const ENDS_WORD = new RegExp(`${SPACELESS}$`, 'u');

/** A word that grows while its pieces come. */
export interface PieceWord {
  /** As it was written, the space in front of it included; space alone belongs to the word behind it. */
  written: string;
  readonly startMs: number;
  endMs: number;
}

/** What a piece means. */
export type WordPiece =
  /** A word begins with this text, which it holds already, or goes on with it. */
  | { readonly type: 'begin' | 'more'; readonly text: string; readonly word: PieceWord }
  /** Nothing more is added to it. */
  | { readonly type: 'whole'; readonly word: PieceWord };

/**
 * Makes words of the pieces that a model writes: a word begins with a space (or is a character of writing without spaces),
 * ends where its last piece came, and is whole when the next one begins or nothing came for a second.
 */
export class PieceWords {
  #word: PieceWord | undefined;
  #quietDeltas = 0;
  #floorMs: number;

  /** No word begins before `floorMs`. */
  constructor(floorMs = 0) {
    this.#floorMs = floorMs;
  }

  /** The word that may get further pieces. */
  get word(): PieceWord | undefined {
    return this.#word;
  }

  /** Deltas since something was written. */
  get quietDeltas(): number {
    return this.#quietDeltas;
  }

  /** Takes a delta of text that was spoken up to `atMs`; most are empty. To be read to its end. */
  *take(delta: string, atMs: number): Generator<WordPiece, void, undefined> {
    this.#quietDeltas += 1;
    for (const text of delta === '' ? [] : delta.split(/(?<=\S)(?=\s)/u)) {
      const isNext = BEGINS_WORD.test(text) || ENDS_WORD.test(this.#word?.written ?? '');
      if (isNext && this.#word?.written.trim() !== '') yield* this.finish();
      yield this.#add(text, atMs);
    }
    if (this.#quietDeltas >= WHOLE_AFTER_DELTAS) yield* this.finish();
  }

  /** Nothing more comes. To be read to its end. */
  *finish(): Generator<WordPiece, void, undefined> {
    const word = this.#word;
    if (word === undefined) return;
    this.#word = undefined;
    this.#floorMs = word.endMs;
    yield { type: 'whole', word };
  }

  #add(text: string, atMs: number): WordPiece {
    this.#quietDeltas = 0;
    const word = this.#word;
    if (word !== undefined) {
      word.written += text;
      word.endMs = Math.max(word.endMs, atMs);
      return { type: 'more', text, word };
    }
    const startMs = Math.max(this.#floorMs, atMs - WORD_HEAD_MS);
    this.#word = { written: text, startMs, endMs: Math.max(startMs, atMs) };
    return { type: 'begin', text, word: this.#word };
  }
}
