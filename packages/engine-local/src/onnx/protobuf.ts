/**
 * Just enough of the protocol-buffer wire format to take an ONNX file apart and put it together again: fields are
 * walked as views on the file, and what is not understood is carried over byte for byte.
 * Source: protobuf.dev/programming-guides/encoding, onnx/onnx.proto.
 */

/** One field of a message. `raw` is the field with its tag, `data` the payload of a length-delimited one. */
export interface Field {
  readonly number: number;
  readonly value: number;
  readonly data: Buffer;
  readonly raw: Buffer;
}

const EMPTY = Buffer.alloc(0);

/** Walks the fields of one message. Throws `RangeError` where the bytes end inside a field. */
export function* fields(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('protobuf: the bytes end inside a number');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    let value = 0;
    let data: Buffer = EMPTY;
    switch (tag & 7) {
      case 0:
        value = varint();
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (at + length > message.length) throw new RangeError('protobuf: the bytes end inside a field');
        data = message.subarray(at, at + length);
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new RangeError('protobuf: unknown wire type');
    }
    yield { number: Math.floor(tag / 8), value, data, raw: message.subarray(start, at) };
  }
}

/** Builds one message, field by field. */
export class MessageWriter {
  readonly #parts: Buffer[] = [];

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  integer(number: number, value: number): this {
    return this.raw(varintBytes(number * 8)).raw(varintBytes(value));
  }

  bytes(number: number, data: Buffer): this {
    return this.raw(varintBytes(number * 8 + 2))
      .raw(varintBytes(data.length))
      .raw(data);
  }

  text(number: number, value: string): this {
    return this.bytes(number, Buffer.from(value));
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}
