/** What a client says: text to events and back. See `invalid-event.ts` for what both directions share. */
import { ProtocolError } from './errors.js';
import type {
  AudioAppend,
  AudioCommit,
  ClientEvent,
  KikitoriRequest,
  SessionUpdate,
} from './events/client.js';
import { type InvalidEvent, settled } from './invalid-event.js';
import { DELAY_MS_MAX, ECHO_UNITS_MAX } from './limits.js';
import { isMembers, type Members, parseJson } from './parse-json.js';

/**
 * Reads one message of a client, in the order in which vLLM checks it. The model's name is not looked up and
 * `audio` is not decoded here.
 */
export function parseClientEvent(text: string): ClientEvent | InvalidEvent {
  return settled(() => {
    const members = parseJson(text);
    if (!isMembers(members)) throw new ProtocolError('processing_error', 'Not an object: the message');
    const { type } = members;
    switch (type) {
      case 'session.update':
        return parseSessionUpdate(members);
      case 'input_audio_buffer.append':
        return parseAudioAppend(members);
      case 'input_audio_buffer.commit':
        return parseAudioCommit(members);
      default:
        throw unknownEvent(type);
    }
  });
}

/** One message, compact, members in the order of vLLM's own clients. An absent `final` means false. */
export function encodeClientEvent(event: ClientEvent): string {
  // `JSON.stringify` leaves out what is undefined.
  switch (event.type) {
    case 'session.update': {
      const { type, model, language, kikitori: asked } = event;
      const kikitori = asked && requestOf(asked);
      return JSON.stringify({ type, model, language, kikitori });
    }
    case 'input_audio_buffer.append':
      return JSON.stringify({ type: event.type, audio: event.audio });
    case 'input_audio_buffer.commit':
      return JSON.stringify({ type: event.type, final: event.final || undefined });
  }
}

/** What a `session.update` with a model that is not served is answered. */
export function modelNotFound(model: string): ProtocolError {
  return new ProtocolError('model_not_found', `The model \`${repeated(model)}\` does not exist.`);
}

function unknownEvent(type: unknown): ProtocolError {
  const text = typeof type === 'string' ? `Unknown event type: ${repeated(type)}` : 'Not a string: type';
  return new ProtocolError('unknown_event', text);
}

/** A client's own text, as far as an error repeats it. */
function repeated(text: string): string {
  return text.length <= ECHO_UNITS_MAX ? text : `${text.slice(0, ECHO_UNITS_MAX)}...`;
}

function parseSessionUpdate(members: Members): SessionUpdate {
  const type = 'session.update';
  const { model, language, kikitori } = members;
  if (model === undefined || model === null) {
    throw new ProtocolError('invalid_event', 'Missing required field: model');
  }
  // vLLM compares without checking the type: what Python takes for false is the default model, the rest is unknown.
  if (typeof model !== 'string' && !isPythonFalse(model)) {
    throw new ProtocolError('model_not_found', 'Not a string: model');
  }
  const name = typeof model === 'string' ? model : '';
  const isSpoken = language !== undefined && language !== null;
  if (isSpoken && typeof language !== 'string') {
    throw new ProtocolError('invalid_event', 'Not a string: language');
  }
  return {
    type,
    model: name,
    ...(isSpoken ? { language } : {}),
    ...(kikitori === undefined ? {} : { kikitori: parseRequest(kikitori) }),
  };
}

function isPythonFalse(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === false || value === 0;
}

function parseRequest(value: unknown): KikitoriRequest {
  if (!isMembers(value)) throw new ProtocolError('invalid_event', 'Not an object: kikitori');
  for (const name of ['words', 'partials', 'onsets', 'replay']) {
    const wish = value[name];
    if (wish !== undefined && typeof wish !== 'boolean') {
      throw new ProtocolError('invalid_event', `Not a boolean: kikitori.${name}`);
    }
  }
  const delay = value['delay_ms'];
  if (delay !== undefined && !isWholeNumber(delay, DELAY_MS_MAX)) {
    throw new ProtocolError(
      'invalid_event',
      `Not a whole number from 0 to ${DELAY_MS_MAX}: kikitori.delay_ms`,
    );
  }
  // Checked above; the compiler cannot see it.
  return requestOf(value as KikitoriRequest);
}

function isWholeNumber(value: unknown, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

function requestOf({ words, partials, onsets, replay, delay_ms }: KikitoriRequest): KikitoriRequest {
  return {
    ...(words === undefined ? {} : { words }),
    ...(partials === undefined ? {} : { partials }),
    ...(onsets === undefined ? {} : { onsets }),
    ...(replay === undefined ? {} : { replay }),
    ...(delay_ms === undefined ? {} : { delay_ms }),
  };
}

function parseAudioAppend(members: Members): AudioAppend {
  const { audio } = members;
  if (typeof audio === 'string') return { type: 'input_audio_buffer.append', audio };
  const wrong = audio === undefined ? 'Missing required field' : 'Not a string';
  throw new ProtocolError('processing_error', `${wrong}: audio`);
}

function parseAudioCommit(members: Members): AudioCommit {
  const { final: given } = members;
  const final = given === undefined ? false : laxBoolean(given);
  if (final !== undefined) return { type: 'input_audio_buffer.commit', final };
  throw new ProtocolError('processing_error', 'Not a boolean: final');
}

const TRUE_WORDS = new Set(['1', 'on', 't', 'true', 'y', 'yes']);
const FALSE_WORDS = new Set(['0', 'off', 'f', 'false', 'n', 'no']);
const WORD_UNITS_MAX = 5;

/** What vLLM takes for a boolean; undefined when it is none. */
function laxBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === 0) return value === 1;
  if (typeof value !== 'string' || value.length > WORD_UNITS_MAX) return undefined;
  const word = value.toLowerCase();
  if (TRUE_WORDS.has(word)) return true;
  return FALSE_WORDS.has(word) ? false : undefined;
}
