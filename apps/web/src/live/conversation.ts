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

/** What is being said by one voice. */
interface OpenWords {
  readonly label: string | undefined;
  text: string;
  unstable: string;
  isUnsure: boolean;
  settledMs: number;
}

/** What a conversation is begun with. */
export interface ConversationOptions extends Pick<SpokenRecord, 'id' | 'startedAtMs' | 'name' | 'model'> {
  /** Whose words are told apart; none: there is one voice. */
  readonly labels?: readonly string[];
}

/** A session's words as they come, of one voice or of several. Knows no page. */
export class Conversation {
  readonly id: string;
  readonly startedAtMs: number;
  readonly name: string;
  readonly model: string;
  readonly #utterances: Utterance[] = [];
  readonly #gaps: SpokenGap[] = [];
  readonly #voices: readonly OpenWords[];

  constructor({ id, startedAtMs, name, model, labels = [] }: ConversationOptions) {
    const named = labels.length === 0 ? [undefined] : labels;
    this.#voices = named.map((label) => ({ label, text: '', unstable: '', isUnsure: false, settledMs: 0 }));
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

  /** Final words that are in no utterance yet; of several voices behind their labels. */
  get open(): string {
    return this.#voices
      .filter(({ text }) => text.trim() !== '')
      .map(({ label, text }) => (label === undefined ? text.trim() : `${label}: ${text.trim()}`))
      .join(' ');
  }

  /** Words behind them that may still change: of the voice that such were last told of. */
  get unstable(): string {
    return this.#voices.find(({ unstable }) => unstable !== '')?.unstable.trim() ?? '';
  }

  /** What is said now does not sound like a language that the model hears; until an utterance ends that does. */
  get isUnsure(): boolean {
    return this.isOpenUnsure || this.#utterances.at(-1)?.unsure === true;
  }

  /** The same of the words that are in no utterance yet. */
  get isOpenUnsure(): boolean {
    return this.#voices.some(({ isUnsure }) => isUnsure);
  }

  /** Every word that ends before this is there for good; undefined until the server has said so. */
  get settledMs(): number {
    return Math.min(...this.#voices.map(({ settledMs }) => settledMs));
  }

  get isEmpty(): boolean {
    return this.#utterances.length === 0 && this.open === '';
  }

  /**
   * Takes one event of a voice. `transcript` is the session's own, asked only for servers that find no utterances.
   */
  add(event: SessionEvent, transcript: () => Transcript, lane = 0): Change {
    const voice = this.#voices[lane];
    if (voice === undefined) return 'none';
    switch (event.type) {
      case 'delta':
        voice.text += event.text;
        voice.unstable = '';
        voice.isUnsure = event.unsure === true;
        return event.text === '' ? 'none' : 'words';
      case 'partial':
        if (voice.unstable === event.text) return 'none';
        for (const each of this.#voices) each.unstable = '';
        voice.unstable = event.text;
        return 'words';
      case 'utterance':
        return this.#close(event, voice);
      case 'progress':
        voice.settledMs = Math.max(voice.settledMs, event.settledMs);
        return 'none';
      case 'done':
        return this.#settle(transcript, voice);
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

  #close({ text, startMs, endMs, words, unsure }: Utterance, voice: OpenWords): Change {
    const utterance = { text, startMs, endMs, words, ...(unsure === undefined ? {} : { unsure }) };
    if (text.trim() !== '') this.#push(utterance, voice);
    voice.isUnsure = false;
    // Its words came as deltas before; words of the next utterance may stand behind them.
    const open = voice.text.trimStart();
    voice.text = open.startsWith(text.trim()) ? open.slice(text.trim().length) : '';
    voice.unstable = '';
    return 'utterance';
  }

  #settle(transcript: () => Transcript, voice: OpenWords): Change {
    const rest = voice.text.trim();
    voice.isUnsure = false;
    voice.text = '';
    voice.unstable = '';
    if (rest === '') return 'words';
    const last = transcript().utterances.at(-1);
    const known = this.#utterances.findLast(({ label }) => label === voice.label)?.endMs ?? 0;
    const { startMs, endMs } = last ?? { startMs: known, endMs: known };
    this.#push({ text: rest, startMs: Math.max(startMs, known), endMs, words: [] }, voice);
    return 'utterance';
  }

  #push(utterance: Utterance, { label }: OpenWords): void {
    this.#utterances.push(label === undefined ? utterance : { ...utterance, label });
  }
}

/** In the order in which they begin: those of several voices come as each is recognised. */
export function inOrder(utterances: readonly Utterance[]): readonly Utterance[] {
  return utterances.some(({ label }) => label !== undefined)
    ? [...utterances].sort((a, b) => a.startMs - b.startMs)
    : utterances;
}
