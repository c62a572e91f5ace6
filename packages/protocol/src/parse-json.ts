/** The one place that decodes wire text: measures first, then parses. */
import { ProtocolError } from './errors.js';
import { FRAME_BYTES_MAX, JSON_DEPTH_MAX, JSON_VALUES_MAX } from './limits.js';
import { pythonTypeName } from './python-repr.js';

/** A decoded JSON object. */
export type Members = Readonly<Record<string, unknown>>;

/** Decodes a message that has to be a JSON object. Throws what `parseJson` throws, and vLLM's text for other values. */
export function parseMembers(text: string): Members {
  const value = parseJson(text);
  if (isMembers(value)) return value;
  throw new ProtocolError('processing_error', `'${pythonTypeName(value)}' object has no attribute 'get'`);
}

/** Is it a JSON object, not null and not an array? */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Decodes one message. Throws `ProtocolError`: `frame_too_large`, `invalid_json`, `invalid_event` (too many values)
 * or `processing_error` (nested too deeply, in Python's words).
 */
export function parseJson(text: string): unknown {
  // UTF-16 units are never more than bytes of UTF-8: whoever is over by units is over by bytes.
  if (text.length > FRAME_BYTES_MAX) {
    throw new ProtocolError(
      'frame_too_large',
      'The message is longer than 16 MiB: send the audio in smaller parts.',
    );
  }
  if (mayBeLarge(text)) checkStructure(text);
  try {
    return JSON.parse(text);
  } catch {
    // The cause is left out on purpose: its message quotes the input.
    throw new ProtocolError('invalid_json', 'Invalid JSON');
  }
}

/**
 * Could the structure be over a bound? Cheap for what really comes: base64 has neither bracket nor comma, and
 * `indexOf` runs at memory speed (3 ms for 16 MiB).
 */
function mayBeLarge(text: string): boolean {
  let count = 0;
  for (const mark of ['[', '{', ',']) {
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) {
      count += 1;
      if (count > JSON_DEPTH_MAX) return true;
    }
  }
  return false;
}

function checkStructure(text: string): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = stringEnd(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        values += 1;
        if (depth > JSON_DEPTH_MAX) throw tooDeep(text.charCodeAt(at) === 0x5b ? 'array' : 'object');
        break;
      case 0x2c: // ,
        values += 1;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
    }
    if (values > JSON_VALUES_MAX) {
      throw new ProtocolError('invalid_event', 'Too many values in one message: send one event per message.');
    }
  }
}

/** Index of the closing quote of the string that opens at `start`; the text's end if it is never closed. */
function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

function tooDeep(kind: 'array' | 'object'): ProtocolError {
  return new ProtocolError(
    'processing_error',
    `maximum recursion depth exceeded while decoding a JSON ${kind} from a unicode string`,
  );
}
