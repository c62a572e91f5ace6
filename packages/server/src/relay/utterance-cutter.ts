import { AudioError, decodeBase64Leniently, encodeBase64, int16ToPcm16, pcm16ToInt16 } from '@kikitori/audio';
import type { Clock } from '@kikitori/core';
import { type EndpointRule, findEndpoint } from '@kikitori/engine';
import {
  encodeClientEvent,
  encodeServerEvent,
  parseClientEvent,
  parseServerEvent,
  type ServerEvent,
  type SessionUpdate,
  type TranscriptionDelta,
  type TranscriptionDone,
  type Usage,
} from '@kikitori/protocol';
import type { Message } from '@kikitori/transport';
import { PauseMeter } from './pause-meter.js';
import { PlacedWords, type WholeWord } from './placed-words.js';

const SAMPLES_PER_MS = 16;
const BYTES_PER_SAMPLE = 2;
/** So much audio shows what the other server is: vLLM's first delta takes 2.5 s of it at its longest delay. */
const TRIAL_SAMPLES = 3_000 * SAMPLES_PER_MS;
/** What is longer is audio. */
const EVENT_LENGTH_MAX = 1_024;
/** No word is longer. */
const WORD_MS_MAX = 2_000;
/** At the very beginning it takes so long to tell speech from silence. */
const FIRST_LISTEN_MS = 1_000;
const COMMIT = encodeClientEvent({ type: 'input_audio_buffer.commit', final: false });
const FINAL = encodeClientEvent({ type: 'input_audio_buffer.commit', final: true });

/** What a cutter needs. */
export interface UtteranceCutterOptions {
  readonly rules: readonly EndpointRule[];
  readonly clock: Clock;
  /** Least time between two `kikitori.progress`. */
  readonly progressIntervalMs: number;
  /** Takes what the client is told, in order. */
  readonly tell: (message: Message) => void;
}

/**
 * Finds utterances for a model that finds none by itself. vLLM takes one utterance from `commit` to `final`, loses
 * audio that comes between `final` and its answer, and tells no times. To a client that asked for words this makes of
 * it what our own server is: at a pause the model's utterance is ended and another one begun behind the answer, while
 * the client's goes on; words, utterances and progress are told with their places on the client's one timeline.
 *
 * - `off`: the client asked for no words before its first audio, or the other server tells places itself: everything
 *   passes as it is.
 * - `unsure`: asked; the other server has not shown yet what it is. Three seconds of audio pass and are looked at, then
 *   the rest is held until it has, or the caller waits no longer.
 * - `on`: a delta without a place has come.
 *
 * Audio is never dropped, silence neither.
 */
export class UtteranceCutter {
  readonly #options: UtteranceCutterOptions;
  readonly #meter = new PauseMeter();
  #mode: 'waiting' | 'unsure' | 'on' | 'off' = 'waiting';
  #wants = { partials: false, replay: false };
  /** The client has said `commit` and not `final`. */
  #isTurnOpen = false;
  #upstream: 'idle' | 'open' | 'ending' = 'idle';
  /** Audio of the client that went up. */
  #sentSamples = 0;
  #trialSamples = TRIAL_SAMPLES;
  #words = new PlacedWords(0, false);
  /** Since the client's `commit`: what was told, and what it cost. */
  #turnText = '';
  #turnUsage: Usage | null = null;
  #settledMs = 0;
  /** The end of the last word that was told. */
  #toldMs = 0;
  /** Words behind it were lost with the engine; nothing behind it is ever settled. */
  #lostFromMs = Number.POSITIVE_INFINITY;
  #progressAtMs = Number.NEGATIVE_INFINITY;
  #partial = '';

  constructor(options: UtteranceCutterOptions) {
    this.#options = options;
  }

  /** An utterance was ended and is not answered: whatever is sent now would be lost. */
  get isHolding(): boolean {
    return this.#mode === 'on' && this.#upstream === 'ending';
  }

  /** Enough was sent to show what the other server is, and it has not answered: more would be sent without knowing. */
  get isTrying(): boolean {
    return this.#mode === 'unsure' && this.#upstream === 'open' && this.#trialSamples === 0;
  }

  /** The client would rather send its audio again than have the word cut that is being spoken. */
  get canLeave(): boolean {
    const isAsked = this.#upstream === 'ending' && !this.#isTurnOpen;
    return (this.#mode === 'on' || this.#mode === 'unsure') && this.#wants.replay && !isAsked;
  }

  /**
   * What goes up for a message of the client, in order; the next one is only to be taken when neither
   * `isHolding` nor `isTrying`. */
  *fromClient(message: Message): Generator<Message, void, undefined> {
    const event = this.#mode === 'off' || typeof message !== 'string' ? undefined : this.#read(message);
    switch (event?.type) {
      case 'session.update':
        this.#configure(event);
        yield message;
        return;
      case 'input_audio_buffer.append':
        yield* this.#append(message, event.audio);
        return;
      case 'input_audio_buffer.commit':
        if (event.final ? this.#endTurn() : this.#beginTurn()) yield message;
        return;
      default:
        yield message;
    }
  }

  /** Tells the client what a message of the other server means to it. */
  fromServer(message: Message): void {
    const { tell } = this.#options;
    if (this.#mode === 'off' || this.#mode === 'waiting') {
      tell(message);
      return;
    }
    const event = parseServerEvent(typeof message === 'string' ? message : new TextDecoder().decode(message));
    if (this.#mode === 'unsure') this.#find(event);
    if (this.#mode === 'on' && event.type === 'transcription.delta') {
      this.#hear(event.delta);
    } else if (this.#mode === 'on' && event.type === 'transcription.done') {
      this.#answered(event);
    } else {
      if (event.type === 'transcription.done') this.#rest();
      else if (event.type === 'error' && event.code === 'processing_error') this.#lose();
      tell(message);
    }
  }

  /** The other server takes its time to show what it is: audio goes on. */
  endTrial(): void {
    this.#trialSamples = Number.POSITIVE_INFINITY;
  }

  /**
   * Ends the model's utterance, which goes on where the client goes on: nothing has come for long. Answers what to send.
   * Some vLLM never say anything again after a minute without audio, and all keep memory for it.
   */
  pause(): Message | undefined {
    const isRunning = this.#mode === 'on' && this.#isTurnOpen && this.#upstream === 'open';
    if (!isRunning || this.#meter.state.utteranceMs === 0) return undefined;
    this.#upstream = 'ending';
    this.#meter.restart();
    return FINAL;
  }

  /** The session is being ended from here: what was begun is ended for the client. The `final` is the caller's to send. */
  finish(): void {
    if (this.#mode === 'on' && this.#isTurnOpen) this.#endTurn();
  }

  /** How far everything came: the last thing that a client hears which sends the rest again. */
  leave(): void {
    if (this.#mode === 'on') this.#progress(true);
  }

  #read(message: string): ReturnType<typeof parseClientEvent> | undefined {
    if (this.#mode !== 'waiting') return parseClientEvent(message);
    if (message.length > EVENT_LENGTH_MAX || message.includes('"input_audio_buffer.append"')) {
      this.#mode = 'off';
      return undefined;
    }
    return parseClientEvent(message);
  }

  #configure({ kikitori = {} }: SessionUpdate): void {
    const { partials = this.#wants.partials, replay = this.#wants.replay } = kikitori;
    this.#wants = { partials, replay };
    if (this.#mode === 'waiting' && kikitori.words === true) this.#mode = 'unsure';
  }

  /** Answers whether the model has to be told. */
  #beginTurn(): boolean {
    // vLLM ignores a `commit` in a running utterance; behind a cut there may be none at the moment.
    if (this.#mode === 'on' && this.#isTurnOpen) return false;
    if (!this.#isTurnOpen) this.#meter.restart();
    this.#isTurnOpen = true;
    this.#upstream = 'open';
    return true;
  }

  /** Answers whether the model has to be told. */
  #endTurn(): boolean {
    const wasOpen = this.#isTurnOpen;
    this.#isTurnOpen = false;
    if (this.#mode !== 'on') {
      if (wasOpen) this.#upstream = 'ending';
      return true;
    }
    // A `final` without an utterance would end vLLM's next one at its beginning.
    if (!wasOpen) return false;
    if (this.#upstream === 'idle') this.#tellDone();
    if (this.#upstream !== 'open') return false;
    this.#upstream = 'ending';
    return true;
  }

  *#append(message: Message, audio: string): Generator<Message, void, undefined> {
    const samples = samplesOf(audio);
    if (samples === undefined) {
      yield message;
      return;
    }
    for (let start = 0; start < samples.length; ) {
      if (this.#mode === 'on' && this.#isTurnOpen && this.#upstream === 'idle') {
        this.#upstream = 'open';
        yield COMMIT;
      }
      const { end, isCut } = this.#listen(samples, start);
      this.#sentSamples += end - start;
      yield end - start === samples.length ? message : appendOf(samples.subarray(start, end));
      start = end;
      // Meanwhile the client's utterance may have been ended from here.
      if (!isCut || this.#upstream !== 'open') continue;
      // Before it is sent: a quick server answers before that has resolved.
      this.#upstream = 'ending';
      this.#meter.restart();
      yield FINAL;
    }
  }

  /** Up to where a stretch of audio belongs to the running utterance. */
  #listen(samples: Int16Array, start: number): { readonly end: number; readonly isCut: boolean } {
    const canCut = this.#mode === 'on' && this.#isTurnOpen && this.#upstream === 'open';
    const isTrial = this.#mode === 'unsure' && this.#upstream === 'open';
    const end = isTrial ? Math.min(samples.length, start + this.#trialSamples) : samples.length;
    let isCut = false;
    const taken = this.#meter.listen(samples.subarray(start, end), (state) => {
      isCut = canCut && findEndpoint(this.#options.rules, state) !== undefined;
      return isCut;
    });
    if (isTrial) this.#trialSamples -= taken;
    return { end: start + taken, isCut };
  }

  /** What the other server says shows whether it places its words. */
  #find(event: ReturnType<typeof parseServerEvent>): void {
    if (event.type === 'transcription.delta') this.#mode = event.audio_ms === undefined ? 'on' : 'off';
    else if (event.type.startsWith('kikitori.')) this.#mode = 'off';
  }

  #hear(delta: string): void {
    this.#tellWords(this.#words.take(delta, this.#sentMs, this.#meter.speechEndMs));
    this.#tellPartial();
    this.#progress(false);
  }

  #answered({ text, usage }: TranscriptionDone): void {
    // Some servers say everything in their answer.
    if (this.#words.text === '' && text !== '') this.#hear(text);
    this.#tellWords(this.#words.finish());
    const { words } = this.#words;
    const [first] = words;
    const last = words.at(-1);
    if (first !== undefined && last !== undefined) {
      const { start_ms } = first;
      const { end_ms } = last;
      this.#say({
        type: 'kikitori.utterance',
        text: this.#words.text.trim(),
        start_ms,
        end_ms,
        words,
      });
    }
    this.#turnText += this.#words.text;
    this.#turnUsage = sumOf(this.#turnUsage, usage);
    this.#rest();
    this.#settle(this.#sentMs);
    this.#progress(true);
    if (!this.#isTurnOpen) this.#tellDone();
  }

  /** The engine failed: there is no answer, and what it had not said is lost. */
  #lose(): void {
    if (this.#upstream === 'idle') return;
    this.#lostFromMs = Math.min(this.#lostFromMs, this.#settledMs);
    this.#isTurnOpen = false;
    this.#turnText = '';
    this.#turnUsage = null;
    this.#rest();
  }

  /** The model has nothing to do. */
  #rest(): void {
    this.#upstream = 'idle';
    this.#partial = '';
    this.#words = new PlacedWords(Math.floor(this.#sentMs), this.#words.isClocked);
  }

  get #sentMs(): number {
    return this.#sentSamples / SAMPLES_PER_MS;
  }

  #tellWords(words: readonly WholeWord[]): void {
    if (words.length > 0) this.#partial = '';
    for (const { text, word } of words) {
      this.#toldMs = word.end_ms;
      const delta: TranscriptionDelta = { type: 'transcription.delta', delta: text, audio_ms: word.end_ms };
      this.#say(this.#wants.replay ? { ...delta, words: [word] } : delta);
    }
  }

  #tellPartial(): void {
    const { text, endMs } = this.#words.pending;
    if (!this.#wants.partials || text === this.#partial) return;
    this.#partial = text;
    // A delta has just taken the place of the last one.
    if (text !== '') this.#say({ type: 'kikitori.partial', text, audio_ms: endMs });
  }

  #tellDone(): void {
    const done: TranscriptionDone = {
      type: 'transcription.done',
      text: this.#turnText,
      usage: this.#turnUsage,
    };
    this.#turnText = '';
    this.#turnUsage = null;
    this.#say(this.#wants.replay ? { ...done, audio_ms: Math.floor(this.#sentMs) } : done);
  }

  #settle(ms: number): void {
    this.#settledMs = Math.max(this.#settledMs, Math.min(Math.floor(ms), this.#lostFromMs));
  }

  /**
   * Somebody has begun to speak and no word has come of it: whoever sends again from what is settled must not begin in
   * the middle of the first one.
   */
  #heldBack(settledMs: number): number {
    const atStart = this.#sentMs < FIRST_LISTEN_MS ? 0 : undefined;
    const beganMs = this.#meter.stretchStartMs ?? atStart;
    if (beganMs === undefined || this.#toldMs > beganMs) return settledMs;
    return Math.max(Math.min(settledMs, beganMs), settledMs - WORD_MS_MAX);
  }

  #progress(isDue: boolean): void {
    const { clock, progressIntervalMs } = this.#options;
    const nowMs = clock.nowMs();
    this.#settle(this.#heldBack(this.#words.settledMs(this.#sentMs)));
    if (!isDue && nowMs - this.#progressAtMs < progressIntervalMs) return;
    this.#progressAtMs = nowMs;
    const received_ms = Math.floor(this.#sentMs);
    const settled_ms = this.#settledMs;
    this.#say({ type: 'kikitori.progress', received_ms, settled_ms, lag_ms: received_ms - settled_ms });
  }

  #say(event: ServerEvent): void {
    this.#options.tell(encodeServerEvent(event));
  }
}

/** Undefined for what the other server refuses: it says so. */
function samplesOf(audio: string): Int16Array | undefined {
  try {
    const bytes = decodeBase64Leniently(audio);
    return bytes.length === 0 || bytes.length % BYTES_PER_SAMPLE === 1 ? undefined : pcm16ToInt16(bytes);
  } catch (error) {
    if (error instanceof AudioError) return undefined;
    throw error;
  }
}

function appendOf(samples: Int16Array): string {
  return encodeClientEvent({ type: 'input_audio_buffer.append', audio: encodeBase64(int16ToPcm16(samples)) });
}

function sumOf(a: Usage | null, b: Usage | null): Usage | null {
  if (a === null || b === null) return a ?? b;
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    prompt_tokens_details: null,
  };
}
