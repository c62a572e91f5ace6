import {
  type Caption,
  type LiveCaption,
  SPEAKER_STATES,
  type SpeakerState,
} from '@kikitori/protocol/shared-captions';
import { refusal } from '../errors.js';
import type { CaptionsLimits } from '../limits.js';
import type { CaptionUpdate } from './caption-share.js';
import { isSecret } from './share-secret.js';

/** A wish to share. */
export interface OpenRequest {
  /** Undefined: the server makes one. */
  readonly publisherSecret: string | undefined;
  readonly session: string;
  readonly language: string | undefined;
}

const SESSION = /^[\w-]{1,64}$/;
const LANGUAGE = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}$/;
/**
 * What no caption holds: control characters, line and paragraph separators, what turns the direction of the text around it,
 * halves of characters, and non-characters.
 */
const NO_TEXT = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]/u;
/** Some thirty-five years. */
const TIME_MS_MAX = 2 ** 40;

type Members = Readonly<Record<string, unknown>>;

/** @throws ServerError `request_refused` 400, with the member at fault */
export function readOpenRequest(body: unknown): OpenRequest {
  const { publisher_secret: secret, session, language } = membersOf(body, 'body');
  if (secret !== undefined && !isSecret(secret)) {
    throw invalid('publisher_secret', 'must be 43 characters of base64url, or left out.');
  }
  if (language !== undefined && language !== null && !isText(language, LANGUAGE)) {
    throw invalid('language', 'must be a language tag, such as "en" or "pt-BR".');
  }
  return {
    publisherSecret: secret,
    session: sessionOf(session),
    language: typeof language === 'string' ? language : undefined,
  };
}

/** @throws ServerError `request_refused` 400, with the member at fault */
export function readUpdate(body: unknown, limits: CaptionsLimits): CaptionUpdate {
  const { session, utterances = [], live, speaker } = membersOf(body, 'body');
  if (!Array.isArray(utterances) || utterances.length > limits.utterancesMax) {
    throw invalid('utterances', `must be a list of at most ${limits.utterancesMax}.`);
  }
  return {
    session: sessionOf(session),
    utterances: utterances.map((each) => utteranceOf(each, limits)),
    live: live === undefined ? undefined : liveOf(live, limits),
    speaker: speaker === undefined ? undefined : speakerOf(speaker),
  };
}

function utteranceOf(value: unknown, limits: CaptionsLimits): Caption {
  const { number, text, start_ms: startMs, end_ms: endMs } = membersOf(value, 'utterances');
  if (!isWhole(number, Number.MAX_SAFE_INTEGER - 1)) {
    throw invalid('number', 'must be a whole number from 0 on.');
  }
  if (!isWhole(startMs, TIME_MS_MAX) || !isWhole(endMs, TIME_MS_MAX) || endMs < startMs) {
    throw invalid('end_ms', 'and start_ms must be whole milliseconds, in order.');
  }
  return { number, text: textOf(text, 'text', limits.utteranceCharsMax), startMs, endMs };
}

function liveOf(value: unknown, { liveCharsMax }: CaptionsLimits): LiveCaption {
  const { stable = '', unstable = '' } = membersOf(value, 'live');
  return {
    stable: textOf(stable, 'stable', liveCharsMax),
    unstable: textOf(unstable, 'unstable', liveCharsMax),
  };
}

function speakerOf(value: unknown): SpeakerState {
  const found = SPEAKER_STATES.find((state) => state === value);
  if (found !== undefined) return found;
  throw invalid('speaker', `must be one of ${SPEAKER_STATES.join(', ')}, or left out.`);
}

function textOf(value: unknown, name: string, charsMax: number): string {
  if (typeof value === 'string' && value.length <= charsMax && !NO_TEXT.test(value)) return value;
  throw invalid(name, `must be text of at most ${charsMax} characters, without control characters.`);
}

function sessionOf(value: unknown): string {
  if (isText(value, SESSION)) return value;
  throw invalid('session', 'must be 1 to 64 letters, digits, "-" or "_".');
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value);
}

function isWhole(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function membersOf(value: unknown, name: string): Members {
  // An object that is no list: its members are still unknown.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw invalid(name, 'must be an object.');
}

function invalid(name: string, rule: string): Error {
  return refusal(400, `${name} ${rule}`, name);
}
