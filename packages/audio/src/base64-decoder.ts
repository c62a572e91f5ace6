import { AudioError } from './errors.js';

/**
 * Base64 to bytes: by the platform's own coder where one is reachable without an import (Node's global Buffer, or
 * `Uint8Array.fromBase64`), else by the loops below; all give the same bytes. Apart from the encoder, which clients need
 * without this.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 0x3d;
const OUTSIDE = 64;

const VALUE_OF_CODE = new Uint8Array(128).fill(OUTSIDE);
for (let value = 0; value < 64; value++) VALUE_OF_CODE[ALPHABET.charCodeAt(value)] = value;

/** What is used of Node's Buffer. */
interface BufferClass {
  from(buffer: ArrayBufferLike, byteOffset: number, length: number): BufferView;
  byteLength(text: string): number;
}
interface BufferView {
  write(text: string, offset: number, length: number, encoding: 'base64'): number;
}
/** What is used of ECMAScript 2026 (Uint8Array from base64). */
interface NativeDecoder {
  fromBase64?(text: string, options: { lastChunkHandling: 'strict' }): Uint8Array<ArrayBuffer>;
}

// Casts: neither is in the library types of an ES2023 program, both are looked up by name and may be absent.
const platform = globalThis as { readonly Buffer?: BufferClass };
const nativeArray = Uint8Array as NativeDecoder;

const invalid = () =>
  new AudioError('invalid_base64', 'The text is not base64; use the standard alphabet with padding.');

/**
 * Strict decoding: the standard alphabet, padded to a multiple of four, nothing before, between or after, and no stray
 * bits under the padding, so that `encodeBase64(decodeBase64(text)) === text`. Anything else → `AudioError`
 * `invalid_base64`. The bytes are a fresh array.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const bytes = tryDecodeStrictly(text);
  if (bytes === undefined) throw invalid();
  return bytes;
}

/**
 * Decoding as Python's `base64.b64decode` does by default, and so vLLM (vllm-realtime.md 1.3.2): characters outside of
 * the alphabet are dropped, decoding stops at the padding that completes a group. Padding that is missing, a length
 * that no bytes encode to, and characters beyond ASCII → `AudioError` `invalid_base64`.
 */
export function decodeBase64Leniently(text: string): Uint8Array<ArrayBuffer> {
  // Nearly every text is strictly right, and then both decoders agree.
  return tryDecodeStrictly(text) ?? decodeLikePython(text);
}

function strictLength(text: string): number | undefined {
  const length = text.length;
  if (length % 4 !== 0) return undefined;
  if (length === 0) return 0;
  const pads = text.charCodeAt(length - 1) !== PAD ? 0 : text.charCodeAt(length - 2) !== PAD ? 1 : 2;
  if (pads > 0) {
    // Bits that belong to no byte must be 0: two of them beside one pad, four beside two.
    const last = VALUE_OF_CODE[text.charCodeAt(length - 1 - pads)] ?? OUTSIDE;
    if (last >= OUTSIDE || (last & (pads === 1 ? 3 : 15)) !== 0) return undefined;
  }
  return (length / 4) * 3 - pads;
}

function tryDecodeStrictly(text: string): Uint8Array<ArrayBuffer> | undefined {
  const length = strictLength(text);
  if (length === undefined) return undefined;
  const buffer = platform.Buffer;
  if (buffer !== undefined) return decodeByBuffer(buffer, text, length);
  if (nativeArray.fromBase64 !== undefined) {
    try {
      const bytes = nativeArray.fromBase64(text, { lastChunkHandling: 'strict' });
      // Shorter: it skipped white space.
      return bytes.length === length ? bytes : undefined;
    } catch {
      return undefined;
    }
  }
  return decodePortably(text, length);
}

function decodeByBuffer(
  buffer: BufferClass,
  text: string,
  length: number,
): Uint8Array<ArrayBuffer> | undefined {
  // Buffer also takes the URL alphabet, skips what it does not know (then it writes less than it should), and in
  // Node 20 looks at the low byte of a character only: U+0141 would pass for an A.
  if (buffer.byteLength(text) !== text.length || text.includes('-') || text.includes('_')) return undefined;
  const bytes = new Uint8Array(length);
  const written = buffer.from(bytes.buffer, 0, length).write(text, 0, length, 'base64');
  return written === length ? bytes : undefined;
}

function decodePortably(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  const whole = length - (length % 3);
  let seen = 0;
  let from = 0;
  for (let to = 0; to < whole; to += 3, from += 4) {
    const a = VALUE_OF_CODE[text.charCodeAt(from)] ?? OUTSIDE;
    const b = VALUE_OF_CODE[text.charCodeAt(from + 1)] ?? OUTSIDE;
    const c = VALUE_OF_CODE[text.charCodeAt(from + 2)] ?? OUTSIDE;
    const d = VALUE_OF_CODE[text.charCodeAt(from + 3)] ?? OUTSIDE;
    seen |= a | b | c | d;
    bytes[to] = (a << 2) | (b >> 4);
    bytes[to + 1] = (b << 4) | (c >> 2);
    bytes[to + 2] = (c << 6) | d;
  }
  if (whole < length) {
    const a = VALUE_OF_CODE[text.charCodeAt(from)] ?? OUTSIDE;
    const b = VALUE_OF_CODE[text.charCodeAt(from + 1)] ?? OUTSIDE;
    const c = length - whole === 2 ? (VALUE_OF_CODE[text.charCodeAt(from + 2)] ?? OUTSIDE) : 0;
    seen |= a | b | c;
    bytes[whole] = (a << 2) | (b >> 4);
    if (whole + 1 < length) bytes[whole + 1] = (b << 4) | (c >> 2);
  }
  return seen >= OUTSIDE ? undefined : bytes;
}

/** The loop of CPython's `binascii.a2b_base64` in its default mode, in our words. */
function decodeLikePython(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(text.length / 4) * 3);
  let length = 0;
  let place = 0; // characters of the current group of four
  let pads = 0; // in a row
  let left = 0; // bits of the group that are not written yet
  let isDone = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // Python encodes the whole text as ASCII first, so this fails also behind the end of the data.
    if (code > 127) throw invalid();
    if (isDone) continue;
    const value = VALUE_OF_CODE[code] ?? OUTSIDE;
    if (place === 0 && value < OUTSIDE) {
      // Whole groups at once: three times as fast on text that only has line breaks. Not for what is dropped anyway.
      const quad = readGroup(text, i);
      if (quad >= 0) {
        bytes[length] = quad >> 16;
        bytes[length + 1] = quad >> 8;
        bytes[length + 2] = quad;
        length += 3;
        i += 3;
        continue;
      }
    }
    if (code === PAD) {
      // A pad too early is dropped like any other stranger.
      if (place >= 2) isDone = place + ++pads >= 4;
      continue;
    }
    if (value === OUTSIDE) continue;
    pads = 0;
    if (place === 1) bytes[length++] = (left << 2) | (value >> 4);
    else if (place === 2) bytes[length++] = (left << 4) | (value >> 2);
    else if (place === 3) bytes[length++] = (left << 6) | value;
    left = value;
    place = (place + 1) % 4;
  }
  if (!isDone && place !== 0) throw invalid();
  return bytes.slice(0, length);
}

/** The 24 bits of four characters of the alphabet; −1 when one of them is not. */
function readGroup(text: string, at: number): number {
  // Behind the end `charCodeAt` is NaN, which has no value either.
  const a = VALUE_OF_CODE[text.charCodeAt(at)] ?? OUTSIDE;
  const b = VALUE_OF_CODE[text.charCodeAt(at + 1)] ?? OUTSIDE;
  const c = VALUE_OF_CODE[text.charCodeAt(at + 2)] ?? OUTSIDE;
  const d = VALUE_OF_CODE[text.charCodeAt(at + 3)] ?? OUTSIDE;
  return (a | b | c | d) < OUTSIDE ? (a << 18) | (b << 12) | (c << 6) | d : -1;
}
