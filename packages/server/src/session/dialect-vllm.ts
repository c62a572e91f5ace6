/** vLLM's Realtime dialect as a pure mapping: messages to inputs of the session machine, notices to messages. */

import { AudioError, decodeBase64Leniently } from '@kikitori/audio';
import {
  APPEND_SAMPLES_MAX,
  type ClientEvent,
  ERRORS,
  type ErrorCode,
  encodeServerEvent,
  type KikitoriWord,
  parseClientEvent,
  type ServerEvent,
} from '@kikitori/protocol';
import type { Message } from '@kikitori/transport';
import type { Input, Notice, PlacedWord } from './state.js';

const BYTES_PER_SAMPLE = 2;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How messages are to be read. */
export interface ReadOptions {
  /** A binary message is taken for JSON in UTF-8: SageMaker sends text so when its client did not say that it is. */
  readonly binaryIsText: boolean;
}

/** Reads one message. Never throws: what cannot be read becomes the input `invalid` with the answer it deserves. */
export function inputOf(message: Message, { binaryIsText }: ReadOptions): Input {
  // vLLM drops the whole session on a binary message, without a word; ours says what is wrong and lives on.
  const text = typeof message === 'string' ? message : binaryIsText ? utf8Of(message) : undefined;
  if (text === undefined) return invalid('invalid_frame');
  const event = parseClientEvent(text);
  if (event.type === 'invalid') {
    return { type: 'invalid', code: event.error.code, text: event.error.wireText };
  }
  return inputOfEvent(event);
}

/** One notice as the dialect writes it: compact JSON, members in vLLM's order. */
export function messageOf(notice: Notice): string {
  return encodeServerEvent(eventOf(notice));
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function inputOfEvent(event: ClientEvent): Input {
  switch (event.type) {
    case 'session.update': {
      const { words, partials, replay, delay_ms: delayMs } = event.kikitori ?? {};
      const { model, language } = event;
      return { type: 'configure', model, language, words, partials, replay, delayMs };
    }
    case 'input_audio_buffer.append':
      return appendOf(event.audio);
    case 'input_audio_buffer.commit':
      return event.final ? { type: 'final' } : { type: 'commit' };
    default:
      return event satisfies never;
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

function invalid(code: ErrorCode): Input {
  return { type: 'invalid', code, text: ERRORS[code].text };
}

function eventOf(notice: Notice): ServerEvent {
  switch (notice.type) {
    case 'created':
      return { type: 'session.created', id: notice.id, created: notice.createdS };
    case 'delta':
      return {
        type: 'transcription.delta',
        delta: notice.text,
        ...(notice.audioMs === undefined ? {} : { audio_ms: notice.audioMs }),
        ...(notice.words === undefined ? {} : { words: notice.words.map(wireWord) }),
        ...(notice.unsure === undefined ? {} : { unsure: notice.unsure }),
      };
    case 'done': {
      const { promptTokens, completionTokens } = notice.usage;
      return {
        type: 'transcription.done',
        text: notice.text,
        usage: {
          prompt_tokens: promptTokens,
          total_tokens: promptTokens + completionTokens,
          completion_tokens: completionTokens,
          prompt_tokens_details: null,
        },
        ...(notice.audioMs === undefined ? {} : { audio_ms: notice.audioMs }),
      };
    }
    case 'error':
      return { type: 'error', error: notice.text, code: notice.code };
    case 'utterance':
      return {
        type: 'kikitori.utterance',
        text: notice.text,
        start_ms: notice.startMs,
        end_ms: notice.endMs,
        words: notice.words.map(wireWord),
        ...(notice.unsure === undefined ? {} : { unsure: notice.unsure }),
      };
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

function wireWord({ text, startMs, endMs }: PlacedWord): KikitoriWord {
  return { text, start_ms: startMs, end_ms: endMs };
}
