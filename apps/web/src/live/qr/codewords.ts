/** Codewords of a QR code (ISO/IEC 18004:2015), byte mode, correction level M: 15 % of them may be lost. */

/** For each version: codewords of correction in a block, and blocks (table 9 of the standard). The index is the version. */
const CORRECTION = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24] as const;
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10] as const;
/** 412 bytes: more than any link of ours. Beyond it there is no code. */
const VERSION_MAX = 15;

const BYTE_MODE = 0b0100;
const PADDING = [0xec, 0x11] as const;

/** What stands in the modules, and how large the code is for it. */
export interface Codewords {
  readonly version: number;
  readonly bytes: readonly number[];
}

/** The smallest code that holds these bytes; undefined when none does. */
export function codewordsOf(content: Uint8Array): Codewords | undefined {
  for (let version = 1; version <= VERSION_MAX; version += 1) {
    const lengthBits = version < 10 ? 8 : 16;
    const capacity = dataCodewords(version);
    if (4 + lengthBits + 8 * content.length > 8 * capacity) continue;
    return { version, bytes: interleaved(padded(content, lengthBits, capacity), version) };
  }
  return undefined;
}

/** Modules that hold no pattern, in bytes. */
function allCodewords(version: number): number {
  const aligned = version === 1 ? 0 : Math.floor(version / 7) + 2;
  const alignment = aligned === 0 ? 0 : 25 * aligned * aligned - 10 * aligned - 55;
  const modules = (16 * version + 128) * version + 64 - alignment - (version < 7 ? 0 : 36);
  return Math.floor(modules / 8);
}

function dataCodewords(version: number): number {
  return allCodewords(version) - (CORRECTION[version] ?? 0) * (BLOCKS[version] ?? 0);
}

function padded(content: Uint8Array, lengthBits: number, capacity: number): readonly number[] {
  // Mode and length are four bits and whole bytes: everything stands half a byte off.
  const halves = [BYTE_MODE];
  for (let shift = lengthBits - 4; shift >= 0; shift -= 4) halves.push((content.length >> shift) & 15);
  for (const byte of content) halves.push(byte >> 4, byte & 15);
  halves.push(0);
  const bytes: number[] = [];
  for (let at = 0; at + 1 < halves.length; at += 2) {
    bytes.push(((halves[at] ?? 0) << 4) | (halves[at + 1] ?? 0));
  }
  for (let turn = 0; bytes.length < capacity; turn ^= 1) bytes.push(PADDING[turn] ?? 0);
  return bytes;
}

/** In blocks, each with its correction, dealt out one by one: what is torn off is a little of each. */
function interleaved(data: readonly number[], version: number): readonly number[] {
  const count = BLOCKS[version] ?? 1;
  const corrections = CORRECTION[version] ?? 0;
  const shortLength = Math.floor(data.length / count);
  const shortCount = count - (data.length % count);
  const divisor = divisorOf(corrections);
  const blocks: (readonly number[])[] = [];
  for (let block = 0, from = 0; block < count; block += 1) {
    const to = from + shortLength + (block < shortCount ? 0 : 1);
    blocks.push(data.slice(from, to));
    from = to;
  }
  return [...dealt(blocks), ...dealt(blocks.map((block) => remainderOf(block, divisor)))];
}

function dealt(blocks: readonly (readonly number[])[]): readonly number[] {
  const longest = Math.max(...blocks.map(({ length }) => length));
  return Array.from({ length: longest }).flatMap((_, at) => blocks.flatMap((block) => block[at] ?? []));
}

/** Product of all (x − 2^i) below the degree: Reed and Solomon's code over GF(256). The leading 1 is left out. */
function divisorOf(degree: number): readonly number[] {
  let divisor = [...Array<number>(degree - 1).fill(0), 1];
  let root = 1;
  for (let index = 0; index < degree; index += 1) {
    divisor = divisor.map((each, at) => product(each, root) ^ (divisor[at + 1] ?? 0));
    root = product(root, 2);
  }
  return divisor;
}

function remainderOf(data: readonly number[], divisor: readonly number[]): readonly number[] {
  let rest = divisor.map(() => 0);
  for (const byte of data) {
    const factor = byte ^ (rest[0] ?? 0);
    rest = divisor.map((each, at) => (rest[at + 1] ?? 0) ^ product(each, factor));
  }
  return rest;
}

/** In GF(256) with the polynomial 0x11d. */
function product(one: number, other: number): number {
  let result = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    result = (result << 1) ^ ((result >> 7) * 0x11d);
    if (((other >> bit) & 1) === 1) result ^= one;
  }
  return result;
}
