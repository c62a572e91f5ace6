import type { KikitoriWord } from '@kikitori/protocol';

/** One step of vLLM's model: one delta. */
const STEP_MS = 80;
/** A word's first piece comes at most so long after it has begun, mostly. */
const WORD_HEAD_MS = 300;
/** So many steps without a piece, and the word is whole: some models say pieces of one word far apart. */
const WHOLE_AFTER_STEPS = 12;
/** Writing without spaces: each character may stand alone. */
const SPACELESS = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]`;
const BEGINS_WORD = new RegExp(String.raw`^(?:\s|${SPACELESS})`, 'u');
const ENDS_WORD = new RegExp(`${SPACELESS}$`, 'u');

/** A word that is whole. */
export interface WholeWord {
  /** As it was written, the space in front of it included. */
  readonly text: string;
  readonly word: KikitoriWord;
}

/**
 * Makes words with places of the pieces that a model writes in one utterance. vLLM answers each 80 ms of audio with one
 * delta, most of them empty, so that counting them is a clock; it runs the model's own delay behind the audio, and a
 * word's last piece comes when the word has been spoken. Where no delta is ever empty there is no clock, and a word
 * lies where the audio ends that was sent.
 */
export class PlacedWords {
  readonly #originMs: number;
  readonly #words: KikitoriWord[] = [];
  #isClocked: boolean;
  #steps = 0;
  #pending = '';
  #pendingStartMs = 0;
  #pendingEndMs = 0;
  #pendingStep = 0;
  #text = '';

  /** `originMs`: where the utterance begins. `isClocked`: known from an earlier one. */
  constructor(originMs: number, isClocked: boolean) {
    this.#originMs = originMs;
    this.#isClocked = isClocked;
  }

  get isClocked(): boolean {
    return this.#isClocked;
  }

  /** The words so far, those that are not whole left out. */
  get words(): readonly KikitoriWord[] {
    return this.#words;
  }

  /** What was written, letter for letter. */
  get text(): string {
    return this.#text;
  }

  /** A word that may get further pieces, and where it ends so far. */
  get pending(): { readonly text: string; readonly endMs: number } {
    return { text: this.#pending.trim(), endMs: this.#pendingEndMs };
  }

  /** Every word that ends before it is whole, as far as can be told; `sentMs`: the end of the audio that was sent. */
  settledMs(sentMs: number): number {
    const stepMs = this.#isClocked ? this.#originMs + this.#steps * STEP_MS : this.#originMs;
    const settledMs = this.#pending.trim() === '' ? stepMs : Math.min(stepMs, this.#pendingStartMs);
    return Math.min(settledMs, sentMs);
  }

  /** Takes a delta; `sentMs` and `speechEndMs` bound where its words can end. Answers words that are whole now. */
  take(delta: string, sentMs: number, speechEndMs: number): WholeWord[] {
    this.#steps += 1;
    this.#isClocked ||= delta === '';
    const whole: WholeWord[] = [];
    for (const piece of delta === '' ? [] : delta.split(/(?<=\S)(?=\s)/u)) {
      const isNext = BEGINS_WORD.test(piece) || ENDS_WORD.test(this.#pending);
      if (isNext) whole.push(...this.finish());
      this.#add(piece, sentMs, speechEndMs);
    }
    if (this.#steps - this.#pendingStep >= WHOLE_AFTER_STEPS) {
      whole.push(...this.finish());
    }
    return whole;
  }

  /** Nothing more comes: what is pending is whole. */
  finish(): WholeWord[] {
    const text = this.#pending;
    const written = text.trim();
    // Space alone belongs to the word behind it.
    if (written === '') return [];
    const word = { text: written, start_ms: this.#pendingStartMs, end_ms: this.#pendingEndMs };
    this.#words.push(word);
    this.#pending = '';
    return [{ text, word }];
  }

  #add(piece: string, sentMs: number, speechEndMs: number): void {
    const clockMs = this.#isClocked ? this.#originMs + this.#steps * STEP_MS : sentMs;
    const floorMs = this.#words.at(-1)?.end_ms ?? this.#originMs;
    const atMs = Math.floor(Math.min(clockMs, sentMs));
    if (this.#pending.trim() === '') this.#pendingStartMs = Math.max(floorMs, atMs - WORD_HEAD_MS);
    const spokenMs = speechEndMs > this.#pendingStartMs ? Math.min(atMs, Math.floor(speechEndMs)) : atMs;
    this.#pendingEndMs = Math.max(this.#pendingStartMs, spokenMs);
    this.#pending += piece;
    this.#pendingStep = this.#steps;
    this.#text += piece;
  }
}
