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
import { CountedSpeech } from './counted-speech.js';
import { middleOf, PositionMatcher, plainText } from './position-match.js';
import { TextMatcher } from './text-match.js';
import { ToldWords } from './told-words.js';

/** Least audio between two reports of how far a counted server is: as often as ours says it. */
const PROGRESS_MS = 240;
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

/** How much audio there is: taken from the caller, and sent over the connection of the moment. Milliseconds. */
export interface Sent {
  readonly takenMs: number;
  readonly sentMs: number;
}

/**
 * What the caller was told, and by that: which words of a new connection are new, and from where its audio has to
 * begin. Everything is on the one timeline of the session; a connection counts from its own first sample.
 */
export class Ledger {
  readonly #wants: { readonly words: boolean; readonly partials: boolean };
  /** Where the connection's first sample lies. */
  #originMs = 0;
  /** The server tells positions itself. */
  #isTold = false;
  readonly #told = new ToldWords();
  /** Places the words of a server that tells none. */
  readonly #counted = new CountedSpeech(this.#told);
  /** The end of that utterance. */
  #closedMs = 0;
  /** Somebody was said to speak, and no utterance has closed it. */
  #hasOnset = false;
  /** Every word that ends before it was told, as far as the server says. */
  #settled = 0;
  #receivedMs = 0;
  /** How far the caller was told that the server is. */
  #progressMs = 0;
  /** Where the audio begins that no connection has answered. */
  #turnStartMs = 0;
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
    return this.isPositional ? this.#settled : undefined;
  }

  /** How places are known: the server tells them, or its deltas are counted. Undefined: they are not, or not yet. */
  get timing(): 'told' | 'counted' | undefined {
    if (this.#isTold) return 'told';
    return this.#counted.counts === 'yes' ? 'counted' : undefined;
  }

  get isPositional(): boolean {
    return this.timing !== undefined;
  }

  /** Everything in front of it belongs to utterances that were told. */
  get closedMs(): number {
    return this.#closedMs;
  }

  /** Deltas of this connection since the running turn began. */
  get steps(): number {
    return this.#counted.steps;
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
    if (!this.isPositional) return { startMs: this.#turnStartMs, endMs: this.#turnStartMs };
    const contextMs = isPlanned ? HANDOVER_CONTEXT_MS : CONTEXT_MS_MAX;
    // The whole utterance again, if it is not too long: every word is then heard with the same neighbours.
    const { first } = this.#told;
    const endMs = first === undefined ? this.#settled : Math.max(first.startMs, this.#settled - contextMs);
    return { startMs: Math.max(this.#closedMs, endMs - WORD_MS_MAX), endMs };
  }

  /** Nobody is speaking at the place where a replay would begin, and no word waits for the end of its utterance. */
  get isPause(): boolean {
    const { startMs, endMs } = this.replaySpan();
    return this.#told.words.length === 0 && !this.isRepeating && endMs - startMs >= HANDOVER_MS_MIN;
  }

  /** Another connection begins, with the audio from `originMs` on; `sentMs`: how far the last one was sent. */
  begin(originMs: number, sentMs: number): void {
    const turnMs = sentMs - this.#turnStartMs;
    const overlap = turnMs > 0 ? (sentMs - originMs) / turnMs : 1;
    this.#again = this.isPositional
      ? this.#told.matcherFrom(originMs, !this.#isTold)
      : new TextMatcher(this.#turnText, overlap);
    this.#isDisturbed ||= this.#doneText !== '';
    this.#originMs = originMs;
    this.#counted.beginTurn(originMs, this.#doneText !== '');
  }

  /**
   * Where to begin at about this place so that words that come again lie where they lay: steps end where those of the last
   * turn did.
   */
  align(ms: number): number {
    const isNeeded = this.timing === 'counted' && this.#told.words.length > 0;
    return isNeeded ? this.#counted.align(ms, this.#closedMs) : ms;
  }

  /**
   * The running turn of a counted server is being ended although somebody may be speaking: words that begin behind the
   * seam are left to the next turn, which hears them with what comes before and after.
   */
  hold(seamMs: number): void {
    this.#counted.hold(seamMs, this.#settled);
  }

  /** Something that was told has not come again yet: an end here would make it new. */
  get isRepeating(): boolean {
    return this.#again?.isOver === false;
  }

  /**
   * A turn is answered up to `endMs` and closes nothing; another one begins over the same connection, with the audio from
   * `originMs` on.
   */
  rollOver(wire: TranscriptionDone, endMs: number, originMs: number): SessionEvent[] {
    const events = this.#endWord(endMs);
    this.#countUsage(wire);
    // What came again already comes once more where the next turn begins in front of it.
    if (originMs < endMs) this.#again = this.#told.matcherFrom(originMs, true);
    this.#isDisturbed = true;
    this.#turnStartMs = originMs;
    this.#counted.beginTurn(originMs, this.#doneText !== '');
    return events;
  }

  /** The deltas of the server are steps although none was empty, or are none whatever they looked like. */
  believe(isCounted: boolean): void {
    this.#counted.believe(isCounted);
  }

  /** Audio up to here is lost: nothing in front of it will come again. */
  skip(endMs: number): void {
    this.#settled = this.#closedMs = this.#turnStartMs = endMs;
    this.#turnFrom = this.#doneText.length;
  }

  /** Takes an event; answers with what the caller is told. */
  take(event: TellableEvent, sent: Sent): SessionEvent[] {
    switch (event.type) {
      case 'transcription.delta':
        return event.audio_ms === undefined
          ? this.#hearStep(event.delta, sent)
          : this.#hearWords(event, event.audio_ms);
      case 'kikitori.onset':
        return this.#begins(this.#originMs + event.start_ms);
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
        this.#isTold = true;
        this.#settle(this.#originMs + event.settled_ms);
        return this.#progress(this.#originMs + event.received_ms, sent.takenMs);
      }
      case 'kikitori.partial': {
        const { text, audio_ms } = event;
        // What comes again is no news.
        if (!this.#wants.partials || this.isRepeating) return [];
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
    const isUnheard = this.#isDisturbed && !this.isPositional && this.steps === 0;
    const events = this.#hearText(isUnheard ? (wire?.text ?? '') : '', true);
    events.push(...this.#endWord(endMs));
    this.#countUsage(wire);
    if (this.isPositional) this.#settle(endMs);
    if (this.timing === 'counted') events.push(...this.#closeCounted());
    this.#closedMs = Math.max(this.#closedMs, this.#told.last?.endMs ?? 0);
    this.#told.drop();
    this.#again = undefined;
    this.#turnStartMs = endMs;
    this.#turnFrom = this.#doneText.length;
    this.#counted.beginTurn(endMs, !isTold && this.#doneText !== '');
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

  /** Knows what comes again by its place. */
  get #positions(): PositionMatcher | undefined {
    return this.#again instanceof PositionMatcher ? this.#again : undefined;
  }

  #settle(ms: number): void {
    this.#settled = Math.max(this.#settled, ms);
  }

  #countUsage(wire: TranscriptionDone | undefined): void {
    if (wire?.usage != null) this.#usage = sumOfUsage(this.#usage, toUsage(wire.usage));
  }

  #progress(receivedMs: number, takenMs: number): SessionEvent[] {
    this.#receivedMs = Math.max(this.#receivedMs, receivedMs);
    this.#progressMs = this.#settled;
    if (!this.#wants.words) return [];
    const settledMs = this.#settled;
    const lagMs = Math.max(0, Math.round(takenMs - settledMs));
    return [{ type: 'progress', receivedMs: this.#receivedMs, settledMs, lagMs }];
  }

  /** Text of a counted server: it ends where its last word does, also where it had to wait until that was whole. */
  #tell(text: string, reachedMs: number): SessionEvent {
    this.#doneText += text;
    const audioMs = text === '' ? reachedMs : (this.#told.last?.endMs ?? reachedMs);
    return { type: 'delta', text, ...(this.#wants.words && { audioMs }) };
  }

  /** The last word of a turn is whole. */
  #endWord(sentMs: number): SessionEvent[] {
    const text = this.#counted.finish(this.#positions);
    return text === '' ? [] : [this.#tell(text, this.#counted.reachedMs(sentMs))];
  }

  /** One delta of a server that tells no places. */
  #hearStep(delta: string, { takenMs, sentMs }: Sent): SessionEvent[] {
    if (this.#again instanceof TextMatcher && this.isRepeating) {
      this.#counted.pass(delta, sentMs);
      return this.#hearText(delta, false);
    }
    const wasRepeating = this.isRepeating;
    const text = this.#counted.take(delta, sentMs, this.#positions);
    const reachedMs = this.#counted.reachedMs(sentMs);
    const { counts } = this.#counted;
    if (counts === 'no') return this.#hearText(text, false);
    // Not sure yet: the place is told where it is likely, and nothing else follows from it.
    if (counts === 'unknown') return [this.#tell(text, reachedMs)];
    // Empty ones are told too, as they are signs of life; not those that were held back.
    const isHeld = text === '' && wasRepeating;
    const events = isHeld ? [] : [this.#tell(text, reachedMs)];
    this.#settle(this.#counted.settledMs(sentMs));
    if (this.#counted.isGap && !this.isRepeating) events.push(...this.#closeCounted());
    if (this.#settled - this.#progressMs >= PROGRESS_MS) events.push(...this.#progress(sentMs, takenMs));
    return events;
  }

  /** The end of an utterance of a server that finds none: of the words that were told. */
  #closeCounted(): SessionEvent[] {
    const { words, first, last, text } = this.#told;
    if (first === undefined || last === undefined) return [];
    this.#closedMs = Math.max(this.#closedMs, last.endMs);
    this.#told.drop();
    if (!this.#wants.words) return [];
    return [{ type: 'utterance', text, startMs: first.startMs, endMs: last.endMs, words }];
  }

  #place({ text, start_ms, end_ms }: KikitoriWord): Word {
    return { text, startMs: this.#originMs + start_ms, endMs: this.#originMs + end_ms };
  }

  #hearWords(event: TranscriptionDelta, audioMs: number): SessionEvent[] {
    const { delta, words: wire } = event;
    this.#isTold = true;
    // A server that does not place its words: they are one, where the last of them ends.
    const whole = { text: delta.trim(), start_ms: audioMs, end_ms: audioMs };
    const words = (wire ?? [whole]).map((word) => this.#place(word));
    const again = this.#again;
    const fresh =
      again instanceof PositionMatcher ? words.filter((word) => again.judge(word) === 'new') : words;
    const last = fresh.at(-1);
    // Words come in order: with the last one all before it have come, and a progress may be late.
    this.#settle(last?.endMs ?? 0);
    if (last === undefined) return [];
    for (const word of fresh) this.#told.add(word);
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

  /** Not of somebody who was said to speak already: over a new connection he is heard once more. */
  #begins(startMs: number): SessionEvent[] {
    this.#isTold = true;
    const isKnown = this.#hasOnset || this.#told.words.length > 0 || startMs < this.#closedMs;
    if (isKnown || !this.#wants.words) return [];
    this.#hasOnset = true;
    return [{ type: 'onset', startMs }];
  }

  /** The end of an utterance: of the words that were told, whoever told them. */
  #close(heard: UtteranceEvent): SessionEvent[] {
    this.#isTold = true;
    const words = this.#told.words.filter((word) => middleOf(word) <= heard.endMs);
    const isWhole = plainText(words.map(({ text }) => text).join('')) === plainText(heard.text);
    const isPlain = isWhole || !this.#isDisturbed;
    const [first] = words;
    const last = words.at(-1);
    const isOfNothing = heard.words.length === 0 && !this.#hasOnset;
    if (isOfNothing || (!isPlain && first === undefined)) return [];
    this.#hasOnset = false;
    this.#told.drop(words.length);
    this.#closedMs = Math.max(this.#closedMs, heard.endMs, last?.endMs ?? 0);
    this.#settle(this.#closedMs);
    if (!this.#wants.words) return [];
    if (isPlain || first === undefined || last === undefined) return [heard];
    const text = words.map((word) => word.text).join(' ');
    return [{ ...heard, text, startMs: first.startMs, endMs: last.endMs, words }];
  }
}
