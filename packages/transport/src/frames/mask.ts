import { randomFillSync } from 'node:crypto';

// Below this many bytes a view on words costs more than it saves.
const WORDS_FROM_BYTES = 64;

const keyBytes = new Uint8Array(4);
const keyWord = new Uint32Array(keyBytes.buffer);

const POOL_KEYS = 1024;
const pool = new Int32Array(POOL_KEYS);
let poolUsed = POOL_KEYS;

/**
 * A key to mask a frame with, from the system's random source (RFC 6455 section 5.3), as a signed 32-bit number whose
 * top byte goes first on the wire.
 */
export function newMaskKey(): number {
  if (poolUsed === POOL_KEYS) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const key = pool[poolUsed] ?? 0;
  poolUsed += 1;
  return key;
}

/**
 * Masks bytes in place; done twice with the same key it unmasks, and with `a ^ b` it changes mask `a` into mask `b`.
 *
 * @param bytes Changed in place.
 * @param key As a frame header's `maskKey`.
 * @param payloadAt Where in its frame's payload the first of the bytes is; matters where a payload comes in pieces.
 */
export function applyMask(bytes: Uint8Array, key: number, payloadAt = 0): void {
  if (key === 0) return;
  const length = bytes.length;
  if (length < WORDS_FROM_BYTES) {
    maskBytes(bytes, 0, length, key, payloadAt);
    return;
  }
  // Words must begin at a multiple of four in the memory behind, wherever the payload begins.
  const lead = (4 - (bytes.byteOffset & 3)) & 3;
  const count = (length - lead) >>> 2;
  maskBytes(bytes, 0, lead, key, payloadAt);
  for (let i = 0; i < 4; i += 1) keyBytes[i] = key >>> (24 - ((payloadAt + lead + i) & 3) * 8);
  const word = keyWord[0] ?? 0;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + lead, count);
  // The index is within the length, so there is always a word.
  for (let i = 0; i < count; i += 1) words[i] = (words[i] as number) ^ word;
  maskBytes(bytes, lead + count * 4, length, key, payloadAt);
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number, payloadAt: number): void {
  for (let i = start; i < end; i += 1) {
    bytes[i] = (bytes[i] as number) ^ (key >>> (24 - ((payloadAt + i) & 3) * 8));
  }
}
