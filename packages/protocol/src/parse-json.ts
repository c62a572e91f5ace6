/** The one place that decodes wire text: measures first, then parses. */
import { ProtocolError } from './errors.js';
import { FRAME_BYTES_MAX, JSON_DEPTH_MAX, JSON_VALUES_MAX } from './limits.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const ARRAY = 0x5b;
const ARRAY_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

/** A decoded JSON object. */
export type Members = Readonly<Record<string, unknown>>;

/** Is it a JSON object, not null and not an array? */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Decodes one message. Throws `ProtocolError`: `frame_too_large`, `invalid_json`, `invalid_event` (too many values)
 * or `processing_error` (nested too deeply).
 */
export function parseJson(text: string): unknown {
  // UTF-16 units are never more than bytes of UTF-8: whoever is over by units is over by bytes.
  if (text.length > FRAME_BYTES_MAX) {
    throw new ProtocolError(
      'frame_too_large',
      'The message is longer than 16 MiB: send the audio in smaller parts.',
    );
  }
  if (text.length > JSON_DEPTH_MAX) checkStructure(text);
  try {
    return JSON.parse(text);
  } catch {
    // The cause is left out on purpose: its message quotes the input.
    throw new ProtocolError('invalid_json', 'Invalid JSON');
  }
}

/** Measures what decoding would build. Strings are passed over at memory speed, and what really comes is one long one. */
function checkStructure(text: string): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
    } else if (code === ARRAY || code === OBJECT) {
      depth += 1;
      values += 1;
      if (depth > JSON_DEPTH_MAX) {
        throw new ProtocolError('processing_error', 'Nested too deeply: send one event per message.');
      }
    } else if (code === COMMA) {
      values += 1;
    } else if (code === ARRAY_END || code === OBJECT_END) {
      depth -= 1;
    }
    if (values > JSON_VALUES_MAX) {
      throw new ProtocolError('invalid_event', 'Too many values in one message: send one event per message.');
    }
  }
}

/** Index of the closing quote of the string that opens at `start`; the text's end if it is never closed. */
function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let first = at;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((at - first) % 2 === 0) return at;
  }
  return text.length;
}
