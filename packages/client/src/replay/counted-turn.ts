/** One step of vLLM's model: one delta. */
export const STEP_MS = 80;
/** A word's first piece comes at most so long after it has begun, mostly. */
const WORD_HEAD_MS = 300;
/** So many steps without a piece, and the word is whole: some models say pieces of one word far apart. */
const WHOLE_AFTER_STEPS = 12;
/** Writing without spaces: each character may stand alone. */
const SPACELESS = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]`;
const BEGINS_WORD = new RegExp(String.raw`^(?:\s|${SPACELESS})`, 'u');
const ENDS_WORD = new RegExp(`${SPACELESS}$`, 'u');

/** A word that grows while its pieces come. Its times are those of the session. */
export interface CountedWord {
  /** As it was written, the space in front of it included. */
  written: string;
  readonly startMs: number;
  endMs: number;
}

/** What a delta means. */
export type CountedPiece =
  /** A word begins with this text, which it holds already, or goes on with it. */
  | { readonly type: 'begin' | 'more'; readonly text: string; readonly word: CountedWord }
  /** Nothing more is added to it. */
  | { readonly type: 'whole'; readonly word: CountedWord };

/**
 * The clock of one turn of a server that answers every 80 ms of audio with one delta, most of them empty (vLLM): what
 * the k-th of them writes was spoken up to k × 80 ms, whatever the model's delay, which is over before the first one comes.
 * Makes words of the pieces: a word begins with a space, and ends where its last piece came.
 */
export class CountedTurn {
  readonly #originMs: number;
  #steps = 0;
  #word: CountedWord | undefined;
  #pieceStep = 0;
  #floorMs: number;

  /** `originMs`: where the turn's audio begins. */
  constructor(originMs: number) {
    this.#originMs = originMs;
    this.#floorMs = originMs;
  }

  /** Deltas so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Audio up to here was answered, as far as `sentMs`. */
  reachedMs(sentMs: number): number {
    return Math.floor(Math.min(this.#originMs + this.#steps * STEP_MS, sentMs));
  }

  /** Every word that ends before it has come, whole. */
  settledMs(sentMs: number): number {
    const reachedMs = this.reachedMs(sentMs);
    return this.#word === undefined ? reachedMs : Math.min(reachedMs, Math.floor(this.#word.startMs));
  }

  /** Steps since something was written. */
  get quietSteps(): number {
    return this.#steps - this.#pieceStep;
  }

  /** Takes a delta; `sentMs`: the end of the audio that was sent, behind which no word lies. */
  *take(delta: string, sentMs: number): Generator<CountedPiece, void, undefined> {
    this.#steps += 1;
    for (const text of delta === '' ? [] : delta.split(/(?<=\S)(?=\s)/u)) {
      const isNext = BEGINS_WORD.test(text) || ENDS_WORD.test(this.#word?.written ?? '');
      // Space alone belongs to the word behind it.
      if (isNext && this.#word?.written.trim() !== '') yield* this.finish();
      yield this.#add(text, this.reachedMs(sentMs));
    }
    if (this.quietSteps >= WHOLE_AFTER_STEPS) yield* this.finish();
  }

  /** Nothing more comes. */
  *finish(): Generator<CountedPiece, void, undefined> {
    const word = this.#word;
    if (word === undefined) return;
    this.#word = undefined;
    this.#floorMs = word.endMs;
    yield { type: 'whole', word };
  }

  #add(text: string, atMs: number): CountedPiece {
    this.#pieceStep = this.#steps;
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
