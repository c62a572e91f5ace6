import type { DeltaEvent, SessionEvent, Utterance } from '@kikitori/client';

/**
 * Something new in the transcript. Text is verbatim; times are milliseconds of audio. `label`: whose words, where several voices
 * are heard; an utterance has its own.
 */
export type Change =
  | { readonly type: 'delta'; readonly text: string; readonly audioMs: number; readonly label?: string }
  | { readonly type: 'partial'; readonly text: string; readonly label?: string }
  | { readonly type: 'utterance'; readonly utterance: Utterance };

/**
 * Everything that was said in one session, put together from the server's events. Servers that do not know our
 * extension close one utterance per `done`.
 */
export class TranscriptRecord {
  readonly #utterances: Utterance[] = [];
  #text = '';
  /** What the deltas said since the last utterance ended. */
  #openText = '';
  #openStartMs = 0;
  #settledMs: number | undefined;
  #isWithoutPlaces = false;
  #firstDeltaAtMs: number | undefined;
  #lastTextAtMs: number | undefined;

  /** All text so far, without the space at its ends. */
  get text(): string {
    return this.#text.trim();
  }

  /** The text behind the last finished utterance. */
  get openText(): string {
    return this.#openText.trim();
  }

  get utterances(): readonly Utterance[] {
    return this.#utterances;
  }

  /** Audio up to which every word has come; undefined when the server does not tell. */
  get settledMs(): number | undefined {
    return this.#settledMs;
  }

  /** Words came without the place in the audio that they are from: the server tells none. */
  get isWithoutPlaces(): boolean {
    return this.#isWithoutPlaces;
  }

  get firstDeltaAtMs(): number | undefined {
    return this.#firstDeltaAtMs;
  }

  /** When text last came, be it a delta or the answer that closes a commit. */
  get lastTextAtMs(): number | undefined {
    return this.#lastTextAtMs;
  }

  /**
   * Takes one event. `atMs` is now and `sentMs` the audio sent, both since the first audio was sent; the latter is
   * the best known position for servers that do not tell one.
   */
  add(event: SessionEvent, atMs: number, sentMs: number): Change | undefined {
    switch (event.type) {
      case 'delta':
        return this.#delta(event, atMs, sentMs);
      case 'partial':
        return { type: 'partial', text: event.text.trim() };
      case 'utterance': {
        this.#lastTextAtMs = atMs;
        const { type: _, ...utterance } = event;
        return this.#close(utterance);
      }
      case 'progress':
        this.#settledMs = event.settledMs;
        return undefined;
      case 'done':
        this.#lastTextAtMs = atMs;
        return this.closeOpen(sentMs);
      default:
        return undefined;
    }
  }

  /** Makes an utterance of the text that no utterance has closed: the end of a commit, or of an interrupted session. */
  closeOpen(endMs: number): Change | undefined {
    if (this.openText === '') return undefined;
    return this.#close({ text: this.openText, startMs: this.#openStartMs, endMs, words: [] });
  }

  #delta({ text, audioMs }: DeltaEvent, atMs: number, sentMs: number): Change | undefined {
    if (text === '') return undefined;
    this.#isWithoutPlaces ||= audioMs === undefined;
    this.#firstDeltaAtMs ??= atMs;
    this.#lastTextAtMs = atMs;
    this.#text += text;
    this.#openText += text;
    return { type: 'delta', text, audioMs: audioMs ?? sentMs };
  }

  #close(utterance: Utterance): Change {
    this.#utterances.push(utterance);
    this.#openText = '';
    this.#openStartMs = utterance.endMs;
    return { type: 'utterance', utterance };
  }
}
