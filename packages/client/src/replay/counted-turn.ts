import { PieceWords, type WordPiece } from './piece-words.js';

/** One step of vLLM's model: one delta. */
export const STEP_MS = 80;

/**
 * The clock of one turn of a server that answers every 80 ms of audio with one delta, most of them empty (vLLM): what
 * the k-th of them writes was spoken up to k × 80 ms, whatever the model's delay, which is over before the first one comes.
 */
export class CountedTurn {
  readonly #originMs: number;
  readonly #words: PieceWords;
  #steps = 0;

  /** `originMs`: where the turn's audio begins. Times are those of the session. */
  constructor(originMs: number) {
    this.#originMs = originMs;
    this.#words = new PieceWords(originMs);
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
    const startMs = this.#words.word?.startMs ?? Number.POSITIVE_INFINITY;
    return Math.min(this.reachedMs(sentMs), Math.floor(startMs));
  }

  /** Steps since something was written. */
  get quietSteps(): number {
    return this.#words.quietDeltas;
  }

  /** Takes a delta; `sentMs`: the end of the audio that was sent, behind which no word lies. */
  take(delta: string, sentMs: number): Generator<WordPiece, void, undefined> {
    this.#steps += 1;
    return this.#words.take(delta, this.reachedMs(sentMs));
  }

  /** Nothing more comes. */
  finish(): Generator<WordPiece, void, undefined> {
    return this.#words.finish();
  }
}
