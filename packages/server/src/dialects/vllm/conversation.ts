import { AudioError, decodeBase64Leniently } from '@kikitori/audio';
import {
  APPEND_SAMPLES_MAX,
  type ClientEvent,
  ERRORS,
  type ErrorCode,
  encodeServerEvent,
  type KikitoriWord,
  modelNotFound,
  parseClientEvent,
  type ServerEvent,
  type SessionUpdate,
} from '@kikitori/protocol';
import type { Message } from '@kikitori/transport';
import type { Input, Notice, PlacedWord, SessionNotice } from '../../session/state.js';
import type { Conversation } from '../dialect.js';
import { FAULT_CODES } from '../faults.js';

type NoticeOf<N extends Notice['type']> = Extract<Notice, { readonly type: N }>;

/** What a client asked for beyond vLLM's own events. */
interface Extras {
  /** Times of words, utterances, progress. */
  readonly words: boolean;
  /** The client sends again what is not settled: the place of every word, and of every answer. */
  readonly replay: boolean;
}

const BYTES_PER_SAMPLE = 2;
/** One frame of Voxtral: what vLLM counts as one prompt token. */
const FRAME_SAMPLES = 1280;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TOO_BIG = 'Message too big.';

/** One connection in vLLM's dialect: compact JSON, members in vLLM's order, our members only for whoever asked for them. */
export class VllmConversation implements Conversation {
  readonly #binaryIsText: boolean;
  #extras: Extras = { words: false, replay: false };
  /** Those of the last `session.update`, which the session may still refuse. */
  #wished: Extras = this.#extras;

  /** `binaryIsText`: a binary message is taken for JSON in UTF-8. */
  constructor({ binaryIsText }: { readonly binaryIsText: boolean }) {
    this.#binaryIsText = binaryIsText;
  }

  read(message: Message): readonly Input[] {
    // vLLM drops the whole session on a binary message, without a word; ours says what is wrong and lives on.
    const text = typeof message === 'string' ? message : this.#binaryIsText ? utf8Of(message) : undefined;
    if (text === undefined) return [invalid('invalid_frame')];
    const event = parseClientEvent(text);
    if (event.type === 'invalid') return [invalid(event.error.code, event.error.wireText)];
    return [this.#inputOf(event)];
  }

  write(notice: SessionNotice): readonly Message[] {
    if (notice.type === 'configured') this.#extras = this.#wished;
    const event = this.#eventOf(notice);
    return event === undefined ? [] : [encodeServerEvent(event)];
  }

  #inputOf(event: ClientEvent): Input {
    switch (event.type) {
      case 'session.update':
        return this.#configure(event);
      case 'input_audio_buffer.append':
        return appendOf(event.audio);
      case 'input_audio_buffer.commit':
        return event.final ? { type: 'end' } : { type: 'begin' };
      default:
        return event satisfies never;
    }
  }

  #configure({ model, language, kikitori = {} }: SessionUpdate): Input {
    const {
      words = this.#extras.words,
      replay = this.#extras.replay,
      partials,
      onsets,
      delay_ms: delayMs,
    } = kikitori;
    this.#wished = { words, replay };
    return {
      type: 'configure',
      model,
      language,
      partials,
      onsets,
      delayMs,
      utterances: words,
      progress: words,
      resumes: words && replay,
    };
  }

  #eventOf(notice: SessionNotice): ServerEvent | undefined {
    switch (notice.type) {
      case 'created':
        return { type: 'session.created', id: notice.id, created: notice.createdS };
      case 'configured':
      case 'cleared':
      case 'closing':
        return undefined;
      case 'delta':
        return this.#delta(notice);
      case 'done':
        return this.#done(notice);
      case 'fault':
        return { type: 'error', error: textOf(notice), code: FAULT_CODES[notice.fault] };
      case 'invalid':
        return { type: 'error', error: notice.problem.text, code: notice.problem.code };
      case 'onset':
        return { type: 'kikitori.onset', start_ms: notice.startMs };
      case 'utterance':
        return utteranceEvent(notice);
      case 'progress':
        return {
          type: 'kikitori.progress',
          received_ms: notice.receivedMs,
          settled_ms: notice.settledMs,
          lag_ms: notice.lagMs,
        };
      case 'partial':
        return { type: 'kikitori.partial', text: notice.text, audio_ms: notice.audioMs };
      default:
        return notice satisfies never;
    }
  }

  #delta({ text, audioMs, words, unsure }: NoticeOf<'delta'>): ServerEvent {
    if (!this.#extras.words) return { type: 'transcription.delta', delta: text };
    return {
      type: 'transcription.delta',
      delta: text,
      audio_ms: audioMs,
      ...(this.#extras.replay ? { words: words.map(wireWord) } : {}),
      ...(unsure === undefined ? {} : { unsure }),
    };
  }

  #done({ text, samples, tokens, audioMs }: NoticeOf<'done'>): ServerEvent {
    const promptTokens = Math.ceil(samples / FRAME_SAMPLES);
    return {
      type: 'transcription.done',
      text,
      usage: {
        prompt_tokens: promptTokens,
        total_tokens: promptTokens + tokens,
        completion_tokens: tokens,
        prompt_tokens_details: null,
      },
      ...(this.#extras.words && this.#extras.replay ? { audio_ms: audioMs } : {}),
    };
  }
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function appendOf(audio: string): Input {
  let pcm: Uint8Array;
  try {
    pcm = decodeBase64Leniently(audio);
  } catch (error) {
    if (error instanceof AudioError) return invalid('invalid_audio');
    throw error;
  }
  const isWhole = pcm.length > 0 && pcm.length % BYTES_PER_SAMPLE === 0;
  if (!isWhole || pcm.length > APPEND_SAMPLES_MAX * BYTES_PER_SAMPLE) return invalid('invalid_audio');
  return { type: 'append', pcm };
}

/** The few codes that the protocol closes on (a frame above the limit) also end the session. */
function invalid(code: ErrorCode, text: string = ERRORS[code].text): Input {
  const { closeCode } = ERRORS[code];
  const closing = closeCode === null ? {} : { closing: { code: closeCode, reason: TOO_BIG } };
  return { type: 'invalid', problem: { code, text, ...closing } };
}

function textOf({ fault, detail }: NoticeOf<'fault'>): string {
  if (detail === undefined) return ERRORS[FAULT_CODES[fault]].text;
  return fault === 'model_not_found' ? modelNotFound(detail).wireText : detail;
}

function utteranceEvent({ text, startMs, endMs, words, unsure }: NoticeOf<'utterance'>): ServerEvent {
  return {
    type: 'kikitori.utterance',
    text,
    start_ms: startMs,
    end_ms: endMs,
    words: words.map(wireWord),
    ...(unsure === undefined ? {} : { unsure }),
  };
}

function wireWord({ text, startMs, endMs }: PlacedWord): KikitoriWord {
  return { text, start_ms: startMs, end_ms: endMs };
}
