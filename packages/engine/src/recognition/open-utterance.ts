import type { Word } from '../engine.js';
import { Doubt, type DoubtRule } from './doubt.js';
import type { PlacedWord } from './window.js';

/** An utterance that is over, in the form of a hypothesis. */
export interface ClosedUtterance {
  readonly words: readonly Word[];
  readonly startMs: number;
  readonly endMs: number;
  readonly unsure?: true;
}

/** The utterance that is being said, one after the other: who began to speak, his words, and the doubt about them. */
export class OpenUtterance {
  readonly #doubt: Doubt;
  #words: Word[] = [];
  /** Somebody was said to speak from here on. */
  #onsetMs: number | undefined;
  /** Where the last one ended. */
  #closedMs = 0;

  constructor(rule: DoubtRule | undefined) {
    this.#doubt = new Doubt(rule);
  }

  get words(): readonly Word[] {
    return this.#words;
  }

  /** Where it begins; undefined: nobody speaks. */
  get startMs(): number | undefined {
    return this.#words[0]?.startMs ?? this.#onsetMs;
  }

  /** From its start to the end of its last word. */
  get lengthMs(): number {
    const last = this.#words.at(-1);
    return last === undefined ? 0 : last.endMs - (this.startMs ?? last.endMs);
  }

  /** See `Doubt`. */
  get mark(): { readonly unsure?: true } {
    return this.#doubt.mark;
  }

  /** Somebody begins to speak. Answers where. */
  begin(startMs: number): number {
    this.#onsetMs = Math.max(startMs, this.#closedMs);
    return this.#onsetMs;
  }

  /** `decided`: the words as the model said them; `edgeMs` as of `evidenceOf`. */
  add(words: readonly Word[], decided: readonly PlacedWord[], edgeMs: number | undefined): void {
    this.#words.push(...words);
    this.#doubt.add(decided, edgeMs);
  }

  /** `silentFromMs`: where one without words ends. Undefined: nobody spoke. */
  close(silentFromMs: number): ClosedUtterance | undefined {
    const { startMs } = this;
    if (startMs === undefined) return undefined;
    const words = this.#words;
    const endMs = Math.max(words.at(-1)?.endMs ?? silentFromMs, startMs);
    const closed = { words, startMs, endMs, ...this.mark };
    this.#words = [];
    this.#onsetMs = undefined;
    this.#closedMs = endMs;
    this.#doubt.end();
    return closed;
  }
}
