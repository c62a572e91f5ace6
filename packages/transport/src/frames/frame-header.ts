import { applyMask } from './mask.js';
import type { Opcode } from './opcode.js';

/**
 * What stands before a payload (RFC 6455 section 5.2).
 *
 * ```
 *  byte 0          byte 1             0, 2 or 8 bytes      0 or 4 bytes
 *  FIN RSV opcode  MASK length 0-127  length, if 126, 127  mask key
 * ```
 */
export interface FrameHeader {
  /** FIN: no fragment of this message follows. */
  readonly isFinal: boolean;
  readonly opcode: Opcode;
  /** Only a client masks, and a client always does. */
  readonly isMasked: boolean;
  /** Signed 32 bits, the top byte first on the wire; 0 where nothing is masked. */
  readonly maskKey: number;
  /** Length of the payload as declared, up to 2^53 − 1. */
  readonly payloadBytes: number;
}

/** What to write a header from. With a mask key the frame is masked (a client's), without it is not (a server's). */
export interface FrameHeaderFields {
  readonly opcode: Opcode;
  readonly payloadBytes: number;
  /** True unless said otherwise. */
  readonly isFinal?: boolean;
  /** See `newMaskKey`. */
  readonly maskKey?: number | undefined;
}

/** The longest header: two bytes, a 64-bit length, a mask key. */
export const FRAME_HEADER_BYTES_MAX = 14;

/** Length of the header that `writeFrameHeader` writes: the shortest legal one, 2 to 14 bytes. */
export function frameHeaderBytes(payloadBytes: number, isMasked: boolean): number {
  const lengthBytes = payloadBytes < 126 ? 0 : payloadBytes <= 0xffff ? 2 : 8;
  return 2 + lengthBytes + (isMasked ? 4 : 0);
}

/**
 * Writes a header into `target` from `at` on.
 *
 * @returns Where the payload begins. There must be room: `frameHeaderBytes`.
 */
export function writeFrameHeader(target: Uint8Array, at: number, fields: FrameHeaderFields): number {
  const { opcode, payloadBytes, isFinal = true, maskKey } = fields;
  const maskBit = maskKey === undefined ? 0 : 0x80;
  let next = at + 2;
  target[at] = opcode | (isFinal ? 0x80 : 0);
  if (payloadBytes < 126) {
    target[at + 1] = maskBit | payloadBytes;
  } else if (payloadBytes <= 0xffff) {
    target[at + 1] = maskBit | 126;
    target[next++] = payloadBytes >>> 8;
    target[next++] = payloadBytes;
  } else {
    target[at + 1] = maskBit | 127;
    next = writeWord(target, next, Math.floor(payloadBytes / 2 ** 32));
    next = writeWord(target, next, payloadBytes % 2 ** 32);
  }
  return maskKey === undefined ? next : writeWord(target, next, maskKey);
}

function writeWord(target: Uint8Array, at: number, word: number): number {
  target[at] = word >>> 24;
  target[at + 1] = word >>> 16;
  target[at + 2] = word >>> 8;
  target[at + 3] = word;
  return at + 4;
}

/** The header alone, for a payload that is written behind it as it is (masked already, if there is a key). */
export function encodeFrameHeader(fields: FrameHeaderFields): Uint8Array {
  const header = new Uint8Array(frameHeaderBytes(fields.payloadBytes, fields.maskKey !== undefined));
  writeFrameHeader(header, 0, fields);
  return header;
}

/**
 * A whole frame in new memory. The payload is given unmasked, copied, and the copy masked where there is a key; the
 * caller's bytes stay as they are.
 */
export function encodeFrame(
  payload: Uint8Array,
  fields: Omit<FrameHeaderFields, 'payloadBytes'>,
): Uint8Array {
  const { maskKey } = fields;
  const payloadBytes = payload.length;
  const frame = new Uint8Array(frameHeaderBytes(payloadBytes, maskKey !== undefined) + payloadBytes);
  const start = writeFrameHeader(frame, 0, { ...fields, payloadBytes });
  frame.set(payload, start);
  if (maskKey !== undefined) applyMask(frame.subarray(start), maskKey);
  return frame;
}
