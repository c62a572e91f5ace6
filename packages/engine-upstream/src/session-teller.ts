import {
  type DeltaEvent,
  PieceWords,
  type SessionEvent,
  type Usage,
  type UtteranceEvent,
  type WordPiece,
} from '@kikitori/client';
import type { Hypothesis, Word } from '@kikitori/engine';
import { UPSTREAM_LIMITS } from './limits.js';
import type { Heard, Teller } from './teller.js';

/** What a teller needs. */
export interface SessionTellerOptions {
  readonly partials: boolean;
  readonly onsets: boolean;
  readonly tell: (hypothesis: Hypothesis) => void;
}

/** Tells words with their places, and utterances. */
export class SessionTeller implements Teller {
  readonly #options: SessionTellerOptions;
  readonly #pieces = new PieceWords();
  /** Words that no utterance has closed. */
  #open: Word[] = [];
  /** Somebody was said to speak from here on, and no utterance has closed it. Milliseconds. */
  #onsetMs: number | undefined;
  /** Who began to speak while what was said before was not closed. */
  #nextOnsetMs: number | undefined;
  /** Where the last utterance ended. */
  #closedMs = 0;
  #isUnsure = false;
  #settledMs = 0;
  #toldMs = 0;
  #lastStartMs = 0;
  #lastEndMs = 0;
  #partial = '';
  /** Since the last flush: what the other server counted, and words that were said. */
  #tokens = 0;
  #words = 0;

  constructor(options: SessionTellerOptions) {
    this.#options = options;
  }

  get settledMs(): number {
    return this.#settledMs;
  }

  get wordEndMs(): number {
    return this.#lastEndMs;
  }

  hear(event: SessionEvent, heard: Heard): void {
    switch (event.type) {
      case 'delta':
        this.#hearText(event, heard);
        return;
      case 'partial':
        this.#tellPartial(event.text);
        return;
      case 'utterance':
        this.#say(wordsOf(this.#pieces.finish()));
        this.#close(heard.rule, event);
        return;
      case 'onset':
        this.begins(event.startMs);
        return;
      case 'progress':
        this.#settle(Math.min(event.settledMs, heard.settledMsMax, heard.sentMs));
        this.#tellProgress();
        return;
      case 'done':
        this.#count(event.usage);
        return;
      case 'gap':
      case 'disconnect':
      case 'reconnect':
      case 'ambiguous':
      case 'unknown':
        return;
    }
  }

  begins(startMs: number): void {
    if (this.#onsetMs === undefined && this.#open.length === 0) this.#tellOnset(startMs);
    else this.#nextOnsetMs = startMs;
  }

  answered(endMs: number, rule: string): void {
    this.#say(wordsOf(this.#pieces.finish()));
    this.#close(rule);
    this.#tellPartial('');
    this.#settle(endMs);
  }

  cut(rule: string): void {
    this.#close(rule);
  }

  flushed(marker: number): void {
    const tokens = this.#words === 0 ? 0 : Math.max(this.#tokens, this.#words);
    this.#tokens = 0;
    this.#words = 0;
    this.#options.tell({ type: 'flushed', marker, settledMs: this.#settledMs, tokens });
  }

  #hearText(event: DeltaEvent, { sentMs }: Heard): void {
    const { text, words, audioMs } = event;
    if (event.unsure === true) this.#isUnsure = true;
    const atMs = Math.min(audioMs ?? sentMs, sentMs);
    this.#say(words ?? wordsOf(this.#pieces.take(text, atMs)));
    if (words === undefined) this.#tellPartial(this.#pieces.word?.written ?? '');
  }

  #say(given: readonly Word[]): void {
    const words = given.flatMap((word) => this.#placed(word));
    if (words.length === 0) return;
    if (this.#onsetMs === undefined && words[0] !== undefined) this.#tellOnset(words[0].startMs);
    this.#open.push(...words);
    this.#words += words.length;
    this.#partial = '';
    this.#settle(this.#lastEndMs);
    this.#toldMs = this.#settledMs;
    const settledMs = this.#settledMs;
    this.#options.tell({ type: 'words', words, settledMs, ...this.#doubt });
  }

  /** As a word of a stream has to be: one of them, behind the one before, and not in what was settled already. */
  #placed({ text, startMs, endMs }: Word): Word[] {
    const parts = text.split(/\s+/u).filter((part) => part !== '');
    const stepMs = (endMs - startMs) / parts.length;
    return parts.map((part, index) => {
      const start = Math.max(this.#lastStartMs, startMs + index * stepMs);
      const end = Math.max(start, this.#settledMs, startMs + (index + 1) * stepMs);
      this.#lastStartMs = start;
      this.#lastEndMs = Math.max(this.#lastEndMs, end);
      return { text: part, startMs: start, endMs: end };
    });
  }

  #close(rule: string, event?: UtteranceEvent): void {
    const words = this.#open;
    const [first] = words;
    if (event?.unsure === true) this.#isUnsure = true;
    const beganMs = first?.startMs ?? this.#onsetMs;
    if (beganMs !== undefined) {
      const wordsEndMs = Math.max(beganMs, ...words.map(({ endMs }) => endMs));
      const startMs = Math.min(beganMs, event?.startMs ?? beganMs);
      const endMs = Math.max(wordsEndMs, event?.endMs ?? wordsEndMs);
      this.#open = [];
      this.#onsetMs = undefined;
      this.#closedMs = endMs;
      const settledMs = this.#settledMs;
      this.#options.tell({ type: 'utterance', words, startMs, endMs, rule, settledMs, ...this.#doubt });
    }
    this.#isUnsure = false;
    const next = this.#nextOnsetMs;
    this.#nextOnsetMs = undefined;
    if (next !== undefined && next >= this.#closedMs) this.#tellOnset(next);
  }

  #tellOnset(startMs: number): void {
    if (!this.#options.onsets) return;
    this.#onsetMs = Math.max(startMs, this.#closedMs);
    this.#options.tell({ type: 'onset', startMs: this.#onsetMs, settledMs: this.#settledMs });
  }

  get #doubt(): { readonly unsure?: true } {
    return this.#isUnsure ? { unsure: true } : {};
  }

  #tellPartial(text: string): void {
    const shown = text.trim();
    if (!this.#options.partials || shown === this.#partial) return;
    this.#partial = shown;
    this.#options.tell({ type: 'partial', text: shown, settledMs: this.#settledMs });
  }

  #tellProgress(): void {
    if (this.#settledMs - this.#toldMs < UPSTREAM_LIMITS.progressMs) return;
    this.#toldMs = this.#settledMs;
    this.#options.tell({ type: 'progress', settledMs: this.#settledMs });
  }

  #settle(ms: number): void {
    const begunMs = this.#pieces.word?.startMs ?? Number.POSITIVE_INFINITY;
    this.#settledMs = Math.max(this.#settledMs, Math.min(ms, begunMs));
  }

  #count(usage: Usage | null): void {
    this.#tokens += usage?.completionTokens ?? 0;
  }
}

/** Those that are whole. */
function wordsOf(pieces: Iterable<WordPiece>): Word[] {
  return [...pieces].flatMap(({ type, word: { written, startMs, endMs } }) =>
    type === 'whole' ? [{ text: written, startMs, endMs }] : [],
  );
}
