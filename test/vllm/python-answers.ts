/** What Python, its `base64` and pydantic make of a client's message, where that can be seen from outside. */
import type { VllmAge } from './stand-in.js';

type Fields = Readonly<Record<string, unknown>>;

/** A message that is an object, or the error event that answers it. */
export type Read = { readonly fields: Fields } | { readonly error: string; readonly code: string };

/** Open brackets at which Python's scanner gives up, about: it counts the frames of whoever calls it, too. */
const DEPTH_MAX = 950;
/** The pydantic that a server of that age is installed with; its error texts name it. */
const PYDANTIC: Readonly<Record<VllmAge, string>> = { '0.17.1': '2.12', '0.31': '2.14', '0.32': '2.14' };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BOOLEANS = ['0', 'off', 'f', 'false', 'n', 'no', '1', 'on', 't', 'true', 'y', 'yes'];
/** Longer values are shown with their middle left out. */
const SHOWN_MAX = 50;

export function readJson(message: string): Read {
  const kind = tooDeep(message);
  if (kind !== undefined) {
    const error = `maximum recursion depth exceeded while decoding a JSON ${kind} from a unicode string`;
    return { error, code: 'processing_error' };
  }
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return { error: 'Invalid JSON', code: 'invalid_json' };
  }
  if (isFields(value)) return { fields: value };
  return { error: `'${typeName(value)}' object has no attribute 'get'`, code: 'processing_error' };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the brackets are that nest too deep. */
function tooDeep(message: string): 'array' | 'object' | undefined {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < message.length; at += 1) {
    const character = message[at];
    if (isInString && character === '\\') at += 1;
    else if (character === '"') isInString = !isInString;
    else if (isInString) continue;
    else if (character === ']' || character === '}') depth -= 1;
    else if (character === '[' || character === '{') depth += 1;
    if (depth > DEPTH_MAX) return character === '[' ? 'array' : 'object';
  }
  return undefined;
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return 'dict';
}

/** `str(value)`. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : inspected(value);
}

/** `repr(value)`. */
function inspected(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(inspected).join(', ')}]`;
  if (isFields(value)) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${inspected(name)}: ${inspected(member)}`)
      .join(', ')}}`;
  }
  if (typeof value !== 'string') return String(value);
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}

/** What pydantic says of an event whose fields are not those of the schema. */
export function validationError(type: 'append' | 'commit', event: Fields, age: VllmAge): string | undefined {
  const flaw = type === 'append' ? audioFlaw(event) : finalFlaw(event);
  if (flaw === undefined) return undefined;
  const { problem, what, value } = flaw;
  const schema = type === 'append' ? 'InputAudioBufferAppend' : 'InputAudioBufferCommit';
  const name = type === 'append' ? 'audio' : 'final';
  const input = `input_value=${cut(inspected(value))}, input_type=${typeName(value)}`;
  const address = `https://errors.pydantic.dev/${PYDANTIC[age]}/v/${problem}`;
  return `1 validation error for ${schema}\n${name}\n  ${what} [type=${problem}, ${input}]\n    For further information visit ${address}`;
}

interface Flaw {
  readonly problem: string;
  readonly what: string;
  readonly value: unknown;
}

function audioFlaw(event: Fields): Flaw | undefined {
  const { audio } = event;
  if (audio === undefined) return { problem: 'missing', what: 'Field required', value: event };
  if (typeof audio === 'string') return undefined;
  return { problem: 'string_type', what: 'Input should be a valid string', value: audio };
}

function finalFlaw({ final: value = false }: Fields): Flaw | undefined {
  if (typeof value === 'boolean' || value === 0 || value === 1) return undefined;
  if (typeof value === 'string' && BOOLEANS.includes(value.toLowerCase())) return undefined;
  const isParsed = typeof value === 'string' || Number.isInteger(value);
  if (!isParsed) return { problem: 'bool_type', what: 'Input should be a valid boolean', value };
  const what = 'Input should be a valid boolean, unable to interpret input';
  return { problem: 'bool_parsing', what, value };
}

function cut(text: string): string {
  if (text.length <= SHOWN_MAX) return text;
  return `${text.slice(0, SHOWN_MAX / 2)}...${text.slice(1 - SHOWN_MAX / 2)}`;
}

/** 16-bit samples of lenient base64; undefined where Python finds none. */
export function samplesOf(audio: string, age: VllmAge): Int16Array | undefined {
  const data = bytesOf(audio, age === '0.17.1');
  if (data === undefined || data.length % 2 !== 0) return undefined;
  const samples = new Int16Array(data.length / 2);
  for (const at of samples.keys()) samples[at] = data.readInt16LE(2 * at);
  return samples;
}

/**
 * What is not of the alphabet is passed over, and what is left over is an error. Python's own decoder ends at the first whole padding;
 * pybase64, which came after 0.17.1, passes over padding that has data behind it.
 */
function bytesOf(audio: string, endsAtPadding: boolean): Buffer | undefined {
  if (audio.length % 4 === 0 && /^[A-Za-z0-9+/]*$/.test(audio)) return Buffer.from(audio, 'base64');
  let data = '';
  let pads = 0;
  for (const character of audio) {
    if (character > '\x7f') return undefined;
    if (character === '=') {
      if (data.length % 4 >= 2) pads += 1;
      if (endsAtPadding && isPadded(data, pads)) break;
    } else if (ALPHABET.includes(character)) {
      data += character;
      pads = 0;
    }
  }
  return data.length % 4 === 0 || isPadded(data, pads) ? Buffer.from(data, 'base64') : undefined;
}

function isPadded(data: string, pads: number): boolean {
  return data.length % 4 >= 2 && (data.length % 4) + pads >= 4;
}
