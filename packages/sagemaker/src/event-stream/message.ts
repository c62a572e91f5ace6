import { crc32 } from 'node:zlib';
import { SageMakerError } from '../errors.js';
import { SAGEMAKER_LIMITS } from '../limits.js';
import { decodeHeaders, type EventHeader, type EventHeaders, encodeHeaders } from './headers.js';

/**
 * One message of AWS's event stream, all numbers big endian:
 *
 *     u32 length of the whole message
 *     u32 length of the headers
 *     u32 CRC-32 of these eight bytes            (the three are the prelude)
 *     headers
 *     payload
 *     u32 CRC-32 of everything before
 */
export interface EventStreamMessage {
  readonly headers: EventHeaders;
  /** A view into what was decoded: copy it before the next read. */
  readonly payload: Uint8Array;
}

/** The three numbers in front of every message. */
export const PRELUDE_BYTES = 12;
/** The checksum over the whole message, at its end. */
export const CHECKSUM_BYTES = 4;
/** What a message costs besides headers and payload. */
export const OVERHEAD_BYTES = PRELUDE_BYTES + CHECKSUM_BYTES;
/** What the checksum of the prelude covers: the two lengths. */
const LENGTHS_BYTES = 8;

/** Encodes a message into bytes of its own. `RangeError` for headers outside their range. */
export function encodeMessage(
  headers: Iterable<readonly [string, EventHeader]>,
  payload: Uint8Array,
): Uint8Array {
  const block = encodeHeaders(headers);
  const bytes = Buffer.allocUnsafeSlow(OVERHEAD_BYTES + block.byteLength + payload.byteLength);
  bytes.set(block, PRELUDE_BYTES);
  bytes.set(payload, PRELUDE_BYTES + block.byteLength);
  sealMessage(bytes, 0, bytes.byteLength, block.byteLength);
  return bytes;
}

/** Writes the prelude and the checksum of the message that lies in `bytes` from `start` to `end`. */
export function sealMessage(bytes: Buffer, start: number, end: number, headersBytes: number): void {
  bytes.writeUInt32BE(end - start, start);
  bytes.writeUInt32BE(headersBytes, start + 4);
  const ofLengths = crc32(bytes.subarray(start, start + LENGTHS_BYTES));
  bytes.writeUInt32BE(ofLengths, start + LENGTHS_BYTES);
  // A CRC goes on where the one before ended.
  const rest = bytes.subarray(start + LENGTHS_BYTES, end - CHECKSUM_BYTES);
  bytes.writeUInt32BE(crc32(rest, ofLengths), end - CHECKSUM_BYTES);
}

/** What a prelude says. */
export interface Prelude {
  readonly totalBytes: number;
  readonly headersBytes: number;
}

/**
 * Reads and checks the first twelve bytes of a message, before anything is allocated for it.
 *
 * Throws `prelude_checksum`, `frame_too_large` or `frame_malformed`.
 */
export function readPrelude(bytes: Buffer, start: number, frameBytesMax: number): Prelude {
  const ofLengths = crc32(bytes.subarray(start, start + LENGTHS_BYTES));
  if (bytes.readUInt32BE(start + LENGTHS_BYTES) !== ofLengths) throw new SageMakerError('prelude_checksum');
  const totalBytes = bytes.readUInt32BE(start);
  const headersBytes = bytes.readUInt32BE(start + 4);
  if (totalBytes > frameBytesMax) throw new SageMakerError('frame_too_large');
  if (
    totalBytes < OVERHEAD_BYTES ||
    headersBytes > totalBytes - OVERHEAD_BYTES ||
    headersBytes > SAGEMAKER_LIMITS.headersBytesMax
  ) {
    throw new SageMakerError('frame_malformed');
  }
  return { totalBytes, headersBytes };
}

/** Remembers the last block of headers: on one stream they are nearly always the same. */
export class HeaderMemory {
  #block: Buffer = Buffer.alloc(0);
  #headers: EventHeaders = new Map();

  /** `decodeHeaders`, or what it said the last time for the same bytes. */
  decode(block: Buffer): EventHeaders {
    if (this.#block.equals(block)) return this.#headers;
    const headers = decodeHeaders(block);
    this.#block = Buffer.from(block);
    this.#headers = headers;
    return headers;
  }
}

/** Decodes the message that lies in `bytes` from `start` on, whose prelude was read; checks its checksum. */
export function readMessage(
  bytes: Buffer,
  start: number,
  { totalBytes, headersBytes }: Prelude,
  memory: HeaderMemory,
): EventStreamMessage {
  const end = start + totalBytes - CHECKSUM_BYTES;
  if (bytes.readUInt32BE(end) !== crc32(bytes.subarray(start, end)))
    throw new SageMakerError('message_checksum');
  const payloadAt = start + PRELUDE_BYTES + headersBytes;
  return {
    headers: memory.decode(bytes.subarray(start + PRELUDE_BYTES, payloadAt)),
    payload: bytes.subarray(payloadAt, end),
  };
}

/**
 * Decodes bytes that are exactly one message, such as the payload of a signed envelope.
 *
 * Throws `frame_malformed` (also when bytes are missing or left over), `frame_too_large`, `prelude_checksum` or
 * `message_checksum`.
 */
export function decodeMessage(
  message: Uint8Array,
  memory: HeaderMemory = new HeaderMemory(),
): EventStreamMessage {
  const bytes = asBuffer(message);
  if (bytes.byteLength < OVERHEAD_BYTES) throw new SageMakerError('frame_malformed');
  const prelude = readPrelude(bytes, 0, SAGEMAKER_LIMITS.frameBytesMax);
  if (prelude.totalBytes !== bytes.byteLength) throw new SageMakerError('frame_malformed');
  return readMessage(bytes, 0, prelude, memory);
}

/** The same memory under the type that reads numbers. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
