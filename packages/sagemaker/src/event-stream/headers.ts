import { SageMakerError } from '../errors.js';
import { SAGEMAKER_LIMITS } from '../limits.js';

/** A typed header value. Integers are signed; a timestamp is in milliseconds since 1970. */
export type EventHeader =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'byte' | 'short' | 'integer'; readonly value: number }
  | { readonly type: 'long'; readonly value: bigint }
  | { readonly type: 'binary'; readonly value: Uint8Array }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'timestamp'; readonly value: number }
  | { readonly type: 'uuid'; readonly value: string };

/** Headers of one message by name, in the order of the wire. */
export type EventHeaders = ReadonlyMap<string, EventHeader>;

// Type tags of the wire. A boolean has no value: its tag is the value.
const TAG_TRUE = 0;
const TAG_FALSE = 1;
const TAG_BYTE = 2;
const TAG_SHORT = 3;
const TAG_INTEGER = 4;
const TAG_LONG = 5;
const TAG_BINARY = 6;
const TAG_STRING = 7;
const TAG_TIMESTAMP = 8;
const TAG_UUID = 9;

const NAME_BYTES_MAX = 255;
/** As in the codec of AWS's JavaScript SDK. */
const VALUE_BYTES_MAX = 32_767;
const UUID_BYTES = 16;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Encodes headers: for each u8 length of the name, the name, u8 type, the value.
 *
 * Throws `RangeError` for a name or value outside its range: that is the caller's mistake, not the peer's.
 */
export function encodeHeaders(headers: Iterable<readonly [string, EventHeader]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, header] of headers) {
    const nameBytes = Buffer.from(name, 'utf8');
    if (nameBytes.byteLength === 0 || nameBytes.byteLength > NAME_BYTES_MAX) {
      throw new RangeError('A header name has 1 to 255 bytes.');
    }
    parts.push(Uint8Array.of(nameBytes.byteLength), nameBytes, encodeValue(header));
  }
  return Buffer.concat(parts);
}

function encodeValue(header: EventHeader): Uint8Array {
  switch (header.type) {
    case 'boolean':
      return Uint8Array.of(header.value ? TAG_TRUE : TAG_FALSE);
    case 'byte': {
      const bytes = Buffer.of(TAG_BYTE, 0);
      bytes.writeInt8(header.value, 1);
      return bytes;
    }
    case 'short': {
      const bytes = Buffer.of(TAG_SHORT, 0, 0);
      bytes.writeInt16BE(header.value, 1);
      return bytes;
    }
    case 'integer': {
      const bytes = Buffer.of(TAG_INTEGER, 0, 0, 0, 0);
      bytes.writeInt32BE(header.value, 1);
      return bytes;
    }
    case 'long':
      return encodeInt64(TAG_LONG, header.value);
    case 'timestamp':
      return encodeInt64(TAG_TIMESTAMP, BigInt(header.value));
    case 'binary':
      return encodeSized(TAG_BINARY, header.value);
    case 'string':
      return encodeSized(TAG_STRING, Buffer.from(header.value, 'utf8'));
    case 'uuid':
      return encodeUuid(header.value);
    default:
      return header satisfies never;
  }
}

function encodeInt64(tag: number, value: bigint): Uint8Array {
  const bytes = Buffer.alloc(9, tag);
  bytes.writeBigInt64BE(value, 1);
  return bytes;
}

function encodeSized(tag: number, value: Uint8Array): Uint8Array {
  if (value.byteLength > VALUE_BYTES_MAX) throw new RangeError('A header value has at most 32767 bytes.');
  const bytes = Buffer.allocUnsafe(3 + value.byteLength);
  bytes.writeUInt8(tag, 0);
  bytes.writeUInt16BE(value.byteLength, 1);
  bytes.set(value, 3);
  return bytes;
}

function encodeUuid(value: string): Uint8Array {
  const bytes = Buffer.from(value.replaceAll('-', ''), 'hex');
  if (bytes.byteLength !== UUID_BYTES) throw new RangeError('A UUID has 32 hexadecimal digits.');
  return Buffer.concat([Uint8Array.of(TAG_UUID), bytes]);
}

/**
 * Decodes a block of headers; `binary` values are copies.
 *
 * Throws `frame_malformed`: a length that leaves the block, an unknown type, a name that is empty, twice there or not
 * UTF-8, more headers than allowed.
 */
export function decodeHeaders(block: Uint8Array): EventHeaders {
  const reader = new BlockReader(block);
  const headers = new Map<string, EventHeader>();
  while (!reader.isDone) {
    const name = reader.text(reader.unsigned(1));
    if (name === '' || headers.has(name) || headers.size >= SAGEMAKER_LIMITS.headersCountMax) {
      throw new SageMakerError('frame_malformed');
    }
    headers.set(name, decodeValue(reader));
  }
  return headers;
}

function decodeValue(reader: BlockReader): EventHeader {
  switch (reader.unsigned(1)) {
    case TAG_TRUE:
      return { type: 'boolean', value: true };
    case TAG_FALSE:
      return { type: 'boolean', value: false };
    case TAG_BYTE:
      return { type: 'byte', value: reader.signed(1) };
    case TAG_SHORT:
      return { type: 'short', value: reader.signed(2) };
    case TAG_INTEGER:
      return { type: 'integer', value: reader.signed(4) };
    case TAG_LONG:
      return { type: 'long', value: reader.int64() };
    case TAG_BINARY:
      return { type: 'binary', value: Uint8Array.from(reader.take(reader.unsigned(2))) };
    case TAG_STRING:
      return { type: 'string', value: reader.text(reader.unsigned(2)) };
    case TAG_TIMESTAMP:
      // Beyond 2^53 the number is not exact; no clock gets there, and a signature over it will not verify.
      return { type: 'timestamp', value: Number(reader.int64()) };
    case TAG_UUID:
      return { type: 'uuid', value: reader.uuid() };
    default:
      throw new SageMakerError('frame_malformed');
  }
}

/** Reads a block from front to back; what would leave it is `frame_malformed`. */
class BlockReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  }

  get isDone(): boolean {
    return this.#at === this.#block.byteLength;
  }

  take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#block.byteLength) throw new SageMakerError('frame_malformed');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  unsigned(count: 1 | 2): number {
    return this.take(count).readUIntBE(0, count);
  }

  signed(count: 1 | 2 | 4): number {
    return this.take(count).readIntBE(0, count);
  }

  int64(): bigint {
    return this.take(8).readBigInt64BE(0);
  }

  text(count: number): string {
    const bytes = this.take(count);
    try {
      return strictUtf8.decode(bytes);
    } catch {
      throw new SageMakerError('frame_malformed');
    }
  }

  uuid(): string {
    const hex = this.take(UUID_BYTES).toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }
}
