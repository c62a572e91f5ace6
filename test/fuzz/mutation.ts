import type { Random } from './random.js';

/** Numbers at which lengths and counts go wrong. */
const EDGES = [
  0, 1, 2, 7, 8, 15, 16, 124, 125, 126, 127, 128, 129, 254, 255, 256, 257, 0x7ffe, 0x7fff, 0x8000, 0xfffe,
  0xffff, 0x10000, 0x00ff_ffff, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
] as const;

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

const CHANGES: readonly [Change, ...Change[]] = [
  flipBit,
  setByte,
  setNumber,
  cutOff,
  cutOut,
  repeat,
  insert,
  swap,
  stretch,
];

/**
 * A copy with one to eight changes: bits, bytes, edge numbers in either order of bytes, pieces cut, doubled, moved,
 * repeated for long.
 */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let result: Uint8Array = bytes.slice();
  const changes = 1 + (random.chance(0.5) ? 0 : random.whole(7));
  for (let change = 0; change < changes; change += 1) result = random.pick(CHANGES)(result, random);
  return random.stretchBytes === undefined ? result : stretch(result, random);
}

/** The same for text: what the bytes of UTF-8 become, sometimes with a piece of JSON or a control character in it. */
export function mutatedText(text: string, random: Random): string {
  const spliced = random.chance(0.3) ? splice(text, random.pick(TOKENS), random) : text;
  return random.chance(0.3) && spliced !== text && random.stretchBytes === undefined
    ? spliced
    : new TextDecoder().decode(mutated(new TextEncoder().encode(spliced), random));
}

const TOKENS = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  'true',
  '-0',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '""',
  '{}',
  '[]',
  '"__proto__":',
  '"constructor":{"prototype":1},',
  '\\u0000',
  '\\ud800',
  '\\udc00\\ud800',
  '\u2028',
  '\0',
  '\r\n',
  '\n\n',
  '%00',
  '%2e%2e',
  '../',
  '//',
  ';',
  '=',
  '\ufeff',
  '🎙',
  'NaN',
  'Infinity',
  '[[[[[[[[[[[[',
] as const;

function splice(text: string, token: string, random: Random): string {
  const at = random.whole(text.length);
  const until = random.chance(0.5) ? at : Math.min(text.length, at + random.whole(12));
  return text.slice(0, at) + token + text.slice(until);
}

/** Cuts bytes at up to `pieces` random places; the pieces are copies. */
export function cutAnywhere(bytes: Uint8Array, random: Random, pieces = 8): Uint8Array[] {
  const places = Array.from({ length: random.whole(pieces) }, () => random.whole(bytes.length));
  const ends = [...places.sort((a, b) => a - b), bytes.length];
  let start = 0;
  return ends.map((end) => {
    const piece = bytes.slice(start, end);
    start = end;
    return piece;
  });
}

/** Joins byte strings. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Mostly near the front: that is where headers are. */
function place(bytes: Uint8Array, random: Random): number {
  const last = Math.max(0, bytes.length - 1);
  return random.chance(0.5) ? random.whole(Math.min(last, 63)) : random.whole(last);
}

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(7));
  return bytes;
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  if (at < bytes.length) bytes[at] = random.whole(255);
  return bytes;
}

function setNumber(bytes: Uint8Array, random: Random): Uint8Array {
  const size = random.pick([1, 2, 3, 4, 8]);
  const at = place(bytes, random);
  if (at + size > bytes.length) return bytes;
  const value = random.pick(EDGES);
  const isLittle = random.chance(0.5);
  for (let index = 0; index < size; index += 1) {
    bytes[at + (isLittle ? index : size - 1 - index)] = index < 4 ? (value >>> (8 * index)) & 0xff : 0;
  }
  return bytes;
}

function cutOff(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random.whole(bytes.length));
}

function cutOut(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  return joined([bytes.subarray(0, at), bytes.subarray(at + random.whole(32))]);
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  const piece = bytes.slice(at, at + 1 + random.whole(64));
  const times = 1 + random.whole(3);
  return joined([bytes.subarray(0, at), ...Array.from({ length: times }, () => piece), bytes.subarray(at)]);
}

function insert(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  return joined([bytes.subarray(0, at), random.bytes(1 + random.whole(16)), bytes.subarray(at)]);
}

/** What parsers pass over, or stop at, again and again. */
const DELIMITERS = [
  ...[
    ' ',
    '\t',
    '\n',
    '\r\n',
    '\0',
    '\xff',
    '\ufeff',
    ',',
    ';',
    ' ;',
    '=',
    ':',
    '"',
    "'",
    '\\',
    '\\"',
    '/',
    '-',
    '_',
  ],
  ...[
    '.',
    '0',
    '9',
    '%',
    '%41',
    '(',
    '[',
    '{',
    '{}',
    '[],',
    '<',
    '&',
    '&a=b',
    '--',
    '-->',
    '../',
    'a',
    'A ',
    'é',
    '🎙',
    '\ud800',
  ],
  ...['\n\n', 'data: \n', ':\n', '\xff\xfb', 'OggS', 'bearer ', 'q=0,', 'a;b=c,', 'ID3'],
].map((text) => new TextEncoder().encode(text));
/** A blank first, and once more among the others. */
const REPEATED: readonly [Uint8Array, ...Uint8Array[]] = [new TextEncoder().encode(' '), ...DELIMITERS];
/** Without a wish; long enough that a square of it is noticed, and a cube hangs. */
const STRETCHES = [16, 256, 4_096] as const;

/** Repeats a delimiter, or a piece of what is there, with what stands around it kept. */
function stretch(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random);
  const own = bytes.slice(at, at + 1 + random.whole(31));
  const piece = random.chance(0.5) && own.length > 0 ? own : random.pick(REPEATED);
  const stretchBytes = random.stretchBytes ?? random.pick(STRETCHES);
  const middle = new Uint8Array(Math.ceil(stretchBytes / piece.length) * piece.length);
  middle.set(piece);
  for (let done = piece.length; done < middle.length; done *= 2) middle.copyWithin(done, 0, done);
  return joined([bytes.subarray(0, at), middle, bytes.subarray(at)]);
}

function swap(bytes: Uint8Array, random: Random): Uint8Array {
  const from = place(bytes, random);
  const to = place(bytes, random);
  const size = Math.min(1 + random.whole(32), bytes.length - Math.max(from, to));
  if (size > 0) bytes.copyWithin(to, from, from + size);
  return bytes;
}
