import { RawAudioReader } from '@kikitori/audio';
import type { Message } from '@kikitori/transport';
import type { Fault, Notice, SessionInput, SessionNotice } from '../../session/state.js';
import { speechOf } from '../audio-pieces.js';
import { bytesOf } from '../base64-audio.js';
import type { Conversation } from '../dialect.js';
import { faultText } from '../faults.js';
import { type Members, membersOf, objectOf } from '../json-object.js';
import { invalid } from '../problems.js';
import { INITIAL_SETTINGS, type SessionSettings, settingsAfter } from './session-settings.js';

type NoticeOf<N extends Notice['type']> = Extract<Notice, { readonly type: N }>;

/** One append, decoded: as Mistral's own clients cut it. */
const APPEND_BYTES_MAX = 262_144;
const SAMPLES_PER_S = 16_000;
/** One frame of Voxtral: what is counted as one token of the prompt. */
const FRAME_SAMPLES = 1_280;
const BAD_REQUEST = 400;

/** The dialect's codes are numbers; those of HTTP say the same. */
const CODES: Readonly<Record<Fault, number>> = {
  model_not_found: 404,
  unsupported_language: BAD_REQUEST,
  not_configured: BAD_REQUEST,
  buffer_full: 413,
  engine_failed: 500,
  engine_busy: 429,
  idle_timeout: 408,
  session_expired: 408,
  slow_reader: 408,
};

interface Segment {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** One connection in Mistral's dialect: every flush is answered by one `transcription.done`, and the end by another. */
export class MistralConversation implements Conversation {
  readonly #model: string;
  #settings = INITIAL_SETTINGS;
  /** Those of the last update, which the session may still refuse. */
  #wished: SessionSettings = INITIAL_SETTINGS;
  #reader = new RawAudioReader(INITIAL_SETTINGS.sound);
  #requestId = '';
  /** A client that says nothing of a session is served as it is: it is set before its first audio. */
  #isSet = false;
  #wasAsked = false;
  #isBegun = false;
  /** Of the turn that is being said. */
  #segments: Segment[] = [];
  #hasText = false;

  /** `model`: as the address names it; empty: the one that is served. */
  constructor(model: string) {
    this.#model = model;
  }

  read(message: Message): readonly SessionInput[] {
    const event = objectOf(message);
    switch (event?.['type']) {
      case 'session.update':
        return this.#update(membersOf(event['session']) ?? {});
      case 'input_audio.append':
        return this.#append(event);
      case 'input_audio.flush':
        return this.#end();
      case 'input_audio.end':
        return [...this.#end(), { type: 'leave' }];
      default:
        return [
          invalid('unknown_event', 'Not an event that is known here: audio goes in as input_audio.append.'),
        ];
    }
  }

  write(notice: SessionNotice): readonly Message[] {
    switch (notice.type) {
      case 'created':
        this.#requestId = notice.id;
        return [this.#session('session.created')];
      case 'configured':
        return this.#configured();
      case 'delta':
        return this.#delta(notice);
      case 'utterance':
        return this.#utterance(notice);
      case 'done':
        return [this.#done(notice)];
      case 'fault':
        if (notice.fault === 'engine_failed') this.#isBegun = false;
        return [errorEvent(faultText(notice), CODES[notice.fault])];
      case 'invalid':
        return [errorEvent(notice.problem.text, BAD_REQUEST)];
      case 'cleared':
      case 'onset':
      case 'partial':
      case 'progress':
      case 'closing':
        return [];
      default:
        return notice satisfies never;
    }
  }

  #update(session: Members): readonly SessionInput[] {
    const settings = settingsAfter(this.#settings, session);
    if (typeof settings === 'string') return [invalid('invalid_event', settings)];
    this.#wasAsked = true;
    return this.#configure(settings);
  }

  #configure(settings: SessionSettings): SessionInput[] {
    this.#wished = settings;
    this.#isSet = true;
    return [{ type: 'configure', model: this.#model, utterances: true, delayMs: settings.delayMs }];
  }

  #configured(): readonly Message[] {
    if (this.#wished.sound !== this.#settings.sound) this.#reader = new RawAudioReader(this.#wished.sound);
    this.#settings = this.#wished;
    const isTold = this.#wasAsked;
    this.#wasAsked = false;
    return isTold ? [this.#session('session.updated')] : [];
  }

  #append({ audio }: Members): readonly SessionInput[] {
    const bytes = bytesOf(audio, APPEND_BYTES_MAX);
    if (bytes === undefined) {
      return [invalid('invalid_audio', `audio has to be base64 of at most ${APPEND_BYTES_MAX} bytes.`)];
    }
    const inputs = this.#beginning();
    return [...inputs, ...speechOf(this.#reader, bytes)];
  }

  #end(): SessionInput[] {
    const inputs = this.#beginning();
    this.#isBegun = false;
    return [...inputs, { type: 'end' }];
  }

  #beginning(): SessionInput[] {
    const inputs = this.#isSet ? [] : this.#configure(this.#settings);
    if (!this.#isBegun) inputs.push({ type: 'begin' });
    this.#isBegun = true;
    return inputs;
  }

  #delta({ text }: NoticeOf<'delta'>): readonly Message[] {
    const told = this.#hasText ? text : text.trimStart();
    if (told === '') return [];
    this.#hasText = true;
    return [JSON.stringify({ type: 'transcription.text.delta', text: told })];
  }

  #utterance({ text, startMs, endMs }: NoticeOf<'utterance'>): readonly Message[] {
    const segment = { text, start: startMs / 1_000, end: endMs / 1_000 };
    this.#segments.push(segment);
    return [JSON.stringify({ type: 'transcription.segment', ...segment })];
  }

  #done({ text, samples, tokens }: NoticeOf<'done'>): string {
    const segments = this.#segments.map((segment) => ({ type: 'transcription_segment', ...segment }));
    this.#segments = [];
    this.#hasText = false;
    const promptTokens = Math.ceil(samples / FRAME_SAMPLES);
    return JSON.stringify({
      type: 'transcription.done',
      model: this.#model,
      text: text.trim(),
      language: null,
      segments,
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: tokens,
        total_tokens: promptTokens + tokens,
        prompt_audio_seconds: Math.round(samples / SAMPLES_PER_S),
      },
    });
  }

  #session(type: 'session.created' | 'session.updated'): string {
    const { format, delayMs } = this.#settings;
    const session = {
      request_id: this.#requestId,
      model: this.#model,
      audio_format: format,
      target_streaming_delay_ms: delayMs ?? null,
    };
    return JSON.stringify({ type, session });
  }
}

function errorEvent(message: string, code: number): string {
  return JSON.stringify({ type: 'error', error: { message, code } });
}
