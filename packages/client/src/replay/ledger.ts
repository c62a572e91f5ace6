import type {
  KikitoriWord,
  ServerEvent,
  TranscriptionDelta,
  TranscriptionDone,
  UnknownServerEvent,
} from '@kikitori/protocol';
import {
  type SessionEvent,
  sumOfUsage,
  toUsage,
  type Usage,
  type UtteranceEvent,
  type Word,
} from '../events.js';
import { middleOf, PositionMatcher, plainText } from './position-match.js';
import { TextMatcher } from './text-match.js';

/** One step of vLLM's model: one delta. */
const STEP_MS = 80;
/** How far back behind known silence a replay begins: a word that has begun there is not longer than this. */
const WORD_MS_MAX = 2_000;
/** Without a pause for longer than this a replay begins between words; so does a handover that cannot wait. */
const CONTEXT_MS_MAX = 30_000;
const HANDOVER_CONTEXT_MS = 1_500;
/** Known silence in which one connection can take over from another. */
const HANDOVER_MS_MIN = 300;

/** What of the server's events is told: all but the greeting, errors and the end of an utterance. */
export type TellableEvent = Exclude<
  ServerEvent | UnknownServerEvent,
  { readonly type: 'session.created' | 'error' | 'transcription.done' }
>;

/** A stretch of the session's audio, in milliseconds. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * What the caller was told, and by that: which words of a new connection are new, and from where its audio has to
 * begin. Everything is on the one timeline of the session; a connection counts from its own first sample.
 */
export class Ledger {
  readonly #wants: { readonly words: boolean; readonly partials: boolean };
  /** Where the connection's first sample lies. */
  #originMs = 0;
  /** The server tells positions. */
  #isPositional = false;
  /** Words told since the last utterance was: those that may come again. */
  #open: Word[] = [];
  /** The end of that utterance. */
  #closedMs = 0;
  /** Every word that ends before it was told, as far as the server says. */
  #settled = 0;
  #receivedMs = 0;
  /** Where the audio begins that no connection has answered. */
  #turnStartMs = 0;
  /** Deltas of this connection since then, and whether some were empty: then each is a step of vLLM. */
  #steps = 0;
  #isClocked = false;
  /** Text told and tokens counted since the last `done` that was told; the unanswered turn begins at `#turnFrom`. */
  #doneText = '';
  #turnFrom = 0;
  #usage: Usage | null = null;
  /** Since then a connection was lost or handed over: the server's own `done` does not know all of it. */
  #isDisturbed = false;
  /** Knows what comes again. */
  #again: PositionMatcher | TextMatcher | undefined;

  constructor(wants: { readonly words: boolean; readonly partials: boolean }) {
    this.#wants = wants;
  }

  /** Up to here everything was told; undefined when the server neither says it nor can be counted. */
  get settledMs(): number | undefined {
    if (this.#isPositional) return this.#settled;
    if (!this.#isClocked) return undefined;
    return Math.max(this.#turnStartMs, this.#originMs) + this.#steps * STEP_MS;
  }

  /** The server says something for every step of audio, be it nothing. */
  get isClocked(): boolean {
    return this.#isClocked;
  }

  get isPositional(): boolean {
    return this.#isPositional;
  }

  /** Words may be missing from here on when nothing is sent again; `sentMs`: how far the last connection was sent. */
  missingFromMs(sentMs: number): number {
    return this.settledMs ?? (this.#turnText === '' ? this.#turnStartMs : sentMs);
  }

  /**
   * Where a replay may begin: anywhere in here nothing is cut that was not told, and the quietest place is the best.
   * Audio in front of it is not needed any more. `isPlanned`: nothing was lost; a few words to hear again are enough,
   * so that every connection gets further than the last one, however short its life.
   */
  replaySpan(isPlanned = false): Span {
    if (!this.#isPositional) return { startMs: this.#turnStartMs, endMs: this.#turnStartMs };
    const contextMs = isPlanned ? HANDOVER_CONTEXT_MS : CONTEXT_MS_MAX;
    // The whole utterance again, if it is not too long: every word is then heard with the same neighbours.
    const [first] = this.#open;
    const endMs = first === undefined ? this.#settled : Math.max(first.startMs, this.#settled - contextMs);
    return { startMs: Math.max(this.#closedMs, endMs - WORD_MS_MAX), endMs };
  }

  /** Nobody is speaking at the place where a replay would begin, and no word waits for the end of its utterance. */
  get isPause(): boolean {
    const { startMs, endMs } = this.replaySpan();
    return this.#open.length === 0 && !this.#isRepeating && endMs - startMs >= HANDOVER_MS_MIN;
  }

  /** Another connection begins, with the audio from `originMs` on; `sentMs`: how far the last one was sent. */
  begin(originMs: number, sentMs: number): void {
    const turnMs = sentMs - this.#turnStartMs;
    const overlap = turnMs > 0 ? (sentMs - originMs) / turnMs : 1;
    this.#again = this.#isPositional
      ? new PositionMatcher(this.#open.filter(({ endMs }) => endMs > originMs))
      : new TextMatcher(this.#turnText, overlap);
    this.#isDisturbed ||= this.#doneText !== '';
    this.#originMs = originMs;
    this.#steps = 0;
  }

  /** Audio up to here is lost: nothing in front of it will come again. */
  skip(endMs: number): void {
    this.#settled = this.#closedMs = this.#turnStartMs = endMs;
    this.#turnFrom = this.#doneText.length;
  }

  /** Takes an event; answers with what the caller is told. `takenMs`: audio taken from the caller so far. */
  take(event: TellableEvent, takenMs: number): SessionEvent[] {
    switch (event.type) {
      case 'transcription.delta':
        if (event.audio_ms !== undefined) return this.#hearWords(event, event.audio_ms);
        this.#steps += 1;
        this.#isClocked ||= event.delta === '';
        return this.#hearText(event.delta, false);
      case 'kikitori.utterance': {
        const words = event.words.map((word) => this.#place(word));
        const startMs = this.#originMs + event.start_ms;
        const endMs = this.#originMs + event.end_ms;
        return this.#close({
          type: 'utterance',
          text: event.text,
          startMs,
          endMs,
          words,
          ...(event.unsure && { unsure: true }),
        });
      }
      case 'kikitori.progress': {
        this.#settle(this.#originMs + event.settled_ms);
        this.#receivedMs = Math.max(this.#receivedMs, this.#originMs + event.received_ms);
        const settledMs = this.#settled;
        const lagMs = Math.max(0, Math.round(takenMs - settledMs));
        return this.#wants.words
          ? [{ type: 'progress', receivedMs: this.#receivedMs, settledMs, lagMs }]
          : [];
      }
      case 'kikitori.partial': {
        const { text, audio_ms } = event;
        // What comes again is no news.
        if (!this.#wants.partials || this.#isRepeating) return [];
        return [{ type: 'partial', text, audioMs: this.#originMs + audio_ms }];
      }
      case 'unknown':
        return [event];
    }
  }

  /**
   * The server has answered everything up to `endMs`. `wire` is missing where no server had to be asked. With `isTold`
   * the caller had asked for it, or nobody had; otherwise it was an end between two connections.
   */
  finish(wire: TranscriptionDone | undefined, endMs: number, isTold: boolean): SessionEvent[] {
    this.#isDisturbed ||= !isTold;
    // Some servers say everything in their answer, and this one's is not told.
    const isUnheard = this.#isDisturbed && !this.#isPositional && this.#steps === 0;
    const events = this.#hearText(isUnheard ? (wire?.text ?? '') : '', true);
    if (wire?.usage != null) this.#usage = sumOfUsage(this.#usage, toUsage(wire.usage));
    if (this.#isPositional) this.#settle(endMs);
    this.#closedMs = Math.max(this.#closedMs, this.#open.at(-1)?.endMs ?? 0);
    this.#open = [];
    this.#again = undefined;
    this.#turnStartMs = endMs;
    this.#turnFrom = this.#doneText.length;
    this.#steps = 0;
    if (!isTold) return events;
    const text = wire === undefined || this.#isDisturbed ? this.#doneText : wire.text;
    events.push({ type: 'done', text, usage: this.#usage });
    this.#doneText = '';
    this.#turnFrom = 0;
    this.#usage = null;
    this.#isDisturbed = false;
    return events;
  }

  get #turnText(): string {
    return this.#doneText.slice(this.#turnFrom);
  }

  get #isRepeating(): boolean {
    return this.#again?.isOver === false;
  }

  #settle(ms: number): void {
    this.#isPositional = true;
    this.#settled = Math.max(this.#settled, ms);
  }

  #place({ text, start_ms, end_ms }: KikitoriWord): Word {
    return { text, startMs: this.#originMs + start_ms, endMs: this.#originMs + end_ms };
  }

  #hearWords(event: TranscriptionDelta, audioMs: number): SessionEvent[] {
    const { delta, words: wire } = event;
    // A server that does not place its words: they are one, where the last of them ends.
    const whole = { text: delta.trim(), start_ms: audioMs, end_ms: audioMs };
    const words = (wire ?? [whole]).map((word) => this.#place(word));
    const again = this.#again;
    const fresh = again instanceof PositionMatcher ? words.filter((word) => again.isNew(word)) : words;
    const last = fresh.at(-1);
    // Words come in order: with the last one all before it have come, and a progress may be late.
    this.#settle(last?.endMs ?? 0);
    if (last === undefined) return [];
    this.#open.push(...fresh);
    const text = fresh.length === words.length ? delta : fresh.map((word) => ` ${word.text}`).join('');
    this.#doneText += text;
    return [
      {
        type: 'delta',
        text,
        ...(this.#wants.words
          ? { audioMs: last.endMs, ...(wire && { words: fresh }), ...(event.unsure && { unsure: true }) }
          : {}),
      },
    ];
  }

  #hearText(delta: string, isLast: boolean): SessionEvent[] {
    const again = this.#again;
    const isHeld = again instanceof TextMatcher && !again.isOver;
    const text = isHeld ? again.take(delta, isLast) : delta;
    this.#doneText += text;
    const events: SessionEvent[] = [];
    if (isHeld && again.isAmbiguous) events.push({ type: 'ambiguous', fromMs: this.#originMs });
    // Empty ones are told too, as they are signs of life; not those that were held back.
    if (text !== '' || (!isHeld && !isLast)) events.push({ type: 'delta', text });
    return events;
  }

  /** The end of an utterance: of the words that were told, whoever told them. */
  #close(heard: UtteranceEvent): SessionEvent[] {
    const words = this.#open.filter((word) => middleOf(word) <= heard.endMs);
    const isWhole = plainText(words.map(({ text }) => text).join('')) === plainText(heard.text);
    const isPlain = isWhole || !this.#isDisturbed;
    const [first] = words;
    const last = words.at(-1);
    if (!isPlain && first === undefined) return [];
    this.#open = this.#open.slice(words.length);
    this.#closedMs = Math.max(this.#closedMs, heard.endMs, last?.endMs ?? 0);
    this.#settle(this.#closedMs);
    if (!this.#wants.words) return [];
    if (isPlain || first === undefined || last === undefined) return [heard];
    const text = words.map((word) => word.text).join(' ');
    return [{ ...heard, text, startMs: first.startMs, endMs: last.endMs, words }];
  }
}
