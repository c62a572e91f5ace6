import type { SessionEvent, Transcript, Utterance } from '@kikitori/client';

/** Sound that no server has heard. */
export interface SpokenGap {
  readonly startMs: number;
  readonly endMs: number;
}

/** What was said in one go, as it is shown, kept and exported. */
export interface SpokenRecord {
  readonly id: string;
  readonly startedAtMs: number;
  /** File name or name of the source; shown, and part of an export's name. */
  readonly name: string;
  readonly model: string;
  readonly utterances: readonly Utterance[];
  /** Final words behind the last utterance. */
  readonly open: string;
  readonly gaps: readonly SpokenGap[];
}

/** How much of a session: its first so many utterances and gaps. */
export interface SpokenCount {
  readonly utteranceCount: number;
  readonly gapCount: number;
}

export const NOTHING_SPOKEN: SpokenCount = { utteranceCount: 0, gapCount: 0 };

/** Nothing was said in it, and nothing was lost. */
export function isEmpty({ utterances, gaps, open }: SpokenRecord): boolean {
  return utterances.length === 0 && gaps.length === 0 && open === '';
}

/** What an event has changed. */
export type Change = 'words' | 'utterance' | 'gap' | 'none';

/** A session's words as they come. Knows no page. */
export class Conversation {
  readonly id: string;
  readonly startedAtMs: number;
  readonly name: string;
  readonly model: string;
  readonly #utterances: Utterance[] = [];
  readonly #gaps: SpokenGap[] = [];
  #open = '';
  #unstable = '';
  #isOpenUnsure = false;
  #settledMs = 0;

  constructor({ id, startedAtMs, name, model }: Pick<SpokenRecord, 'id' | 'startedAtMs' | 'name' | 'model'>) {
    this.id = id;
    this.startedAtMs = startedAtMs;
    this.name = name;
    this.model = model;
  }

  get utterances(): readonly Utterance[] {
    return this.#utterances;
  }

  get gaps(): readonly SpokenGap[] {
    return this.#gaps;
  }

  /** Final words that are in no utterance yet. */
  get open(): string {
    return this.#open.trim();
  }

  /** Words behind them that may still change. */
  get unstable(): string {
    return this.#unstable.trim();
  }

  /** What is said now does not sound like a language that the model hears; until an utterance ends that does. */
  get isUnsure(): boolean {
    return this.#isOpenUnsure || this.#utterances.at(-1)?.unsure === true;
  }

  /** The same of the words that are in no utterance yet. */
  get isOpenUnsure(): boolean {
    return this.#isOpenUnsure;
  }

  /** Every word that ends before this is there for good; undefined until the server has said so. */
  get settledMs(): number {
    return this.#settledMs;
  }

  get isEmpty(): boolean {
    return this.#utterances.length === 0 && this.open === '';
  }

  /** Takes one event. `transcript` is the session's own, asked only for servers that find no utterances. */
  add(event: SessionEvent, transcript: () => Transcript): Change {
    switch (event.type) {
      case 'delta':
        this.#open += event.text;
        this.#unstable = '';
        this.#isOpenUnsure = event.unsure === true;
        return event.text === '' ? 'none' : 'words';
      case 'partial':
        if (this.#unstable === event.text) return 'none';
        this.#unstable = event.text;
        return 'words';
      case 'utterance':
        return this.#close(event);
      case 'progress':
        this.#settledMs = Math.max(this.#settledMs, event.settledMs);
        return 'none';
      case 'done':
        return this.#settle(transcript);
      case 'gap':
        this.#gaps.push({ startMs: event.startMs, endMs: event.endMs });
        return 'gap';
      default:
        return 'none';
    }
  }

  /** Utterances and gaps are only ever added. */
  get count(): SpokenCount {
    return { utteranceCount: this.#utterances.length, gapCount: this.#gaps.length };
  }

  /** Everything behind so much of it. */
  record({ utteranceCount, gapCount } = NOTHING_SPOKEN): SpokenRecord {
    const { id, startedAtMs, name, model, open } = this;
    const utterances = this.#utterances.slice(utteranceCount);
    return { id, startedAtMs, name, model, open, utterances, gaps: this.#gaps.slice(gapCount) };
  }

  #close({ text, startMs, endMs, words, unsure }: Utterance): Change {
    const utterance = { text, startMs, endMs, words, ...(unsure === undefined ? {} : { unsure }) };
    if (text.trim() !== '') this.#utterances.push(utterance);
    this.#isOpenUnsure = false;
    // Its words came as deltas before; words of the next utterance may stand behind them.
    const open = this.#open.trimStart();
    this.#open = open.startsWith(text.trim()) ? open.slice(text.trim().length) : '';
    this.#unstable = '';
    return 'utterance';
  }

  #settle(transcript: () => Transcript): Change {
    const rest = this.open;
    this.#isOpenUnsure = false;
    this.#open = '';
    this.#unstable = '';
    if (rest === '') return 'words';
    const last = transcript().utterances.at(-1);
    const known = this.#utterances.at(-1)?.endMs ?? 0;
    const { startMs, endMs } = last ?? { startMs: known, endMs: known };
    this.#utterances.push({ text: rest, startMs: Math.max(startMs, known), endMs, words: [] });
    return 'utterance';
  }
}
