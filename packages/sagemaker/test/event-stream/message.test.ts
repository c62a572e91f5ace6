import { EventStreamCodec } from '@smithy/core/event-streams';
import { fromUtf8, toUtf8 } from '@smithy/core/serde';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamDecoder } from '../../src/event-stream/decoder.js';
import { type EventHeader, encodeHeaders } from '../../src/event-stream/headers.js';
import {
  decodeMessage,
  type EventStreamMessage,
  encodeMessage,
  OVERHEAD_BYTES,
  sealMessage,
} from '../../src/event-stream/message.js';
import { SAGEMAKER_LIMITS } from '../../src/limits.js';
import { reasonOf } from '../reason-of.js';

const codec = new EventStreamCodec(toUtf8, fromUtf8);

const wellFormed = fc.string({ unit: 'binary', maxLength: 40 });
const header: fc.Arbitrary<EventHeader> = fc.oneof(
  fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('byte' as const), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ type: fc.constant('short' as const), value: fc.integer({ min: -32768, max: 32767 }) }),
  fc.record({ type: fc.constant('integer' as const), value: fc.integer() }),
  fc.record({
    type: fc.constant('long' as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.record({ type: fc.constant('binary' as const), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ type: fc.constant('string' as const), value: wellFormed }),
  // What a Date holds: AWS's codec takes dates.
  fc.record({
    type: fc.constant('timestamp' as const),
    // Not −0: there is no such number among 64-bit integers.
    value: fc.maxSafeInteger().map((ms) => Math.trunc(ms / 2) + 0),
  }),
  fc.record({ type: fc.constant('uuid' as const), value: fc.uuid() }),
);
const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }).map((text) => `h${text}`);
const headers = fc
  .uniqueArray(fc.tuple(name, header), { selector: ([key]) => key, maxLength: 10 })
  .map((entries) => entries as [string, EventHeader][]);
const message = fc.record({ headers, payload: fc.uint8Array({ maxLength: 2000 }) });

/** A message whose payload may be kept. */
function copied({ headers: found, payload }: EventStreamMessage): { headers: unknown[]; payload: number[] } {
  return { headers: [...found], payload: [...payload] };
}

function decodeAll(chunks: readonly Uint8Array[], frameBytesMax?: number): ReturnType<typeof copied>[] {
  const messages: ReturnType<typeof copied>[] = [];
  const decoder = new EventStreamDecoder(frameBytesMax);
  for (const chunk of chunks) decoder.push(chunk, (found) => messages.push(copied(found)));
  decoder.end();
  return messages;
}

/** Cuts bytes at the given fractions of their length. */
function cut(bytes: Uint8Array, fractions: readonly number[]): Uint8Array[] {
  const at = fractions.map((fraction) => Math.floor(fraction * bytes.byteLength)).sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.slice(start, at[index] ?? bytes.byteLength));
}

describe('an event-stream message', () => {
  it('is the same after encoding and decoding, whatever its headers', () => {
    fc.assert(
      fc.property(message, ({ headers: entries, payload }) => {
        const decoded = decodeMessage(encodeMessage(entries, payload));
        expect([...decoded.headers]).toEqual(entries);
        expect([...decoded.payload]).toEqual([...payload]);
      }),
    );
  });

  it("is, byte for byte, what AWS's codec encodes", () => {
    fc.assert(
      fc.property(message, ({ headers: entries, payload }) => {
        const theirs = codec.encode({ headers: Object.fromEntries(entries.map(smithyEntry)), body: payload });
        expect(Buffer.from(encodeMessage(entries, payload)).equals(theirs)).toBe(true);
      }),
    );
  });

  it("is read as AWS's codec reads it", () => {
    fc.assert(
      fc.property(message, ({ headers: entries, payload }) => {
        const bytes = encodeMessage(entries, payload);
        const theirs = codec.decode(bytes);
        expect(Object.keys(theirs.headers).sort()).toEqual([...decodeMessage(bytes).headers.keys()].sort());
        expect([...theirs.body]).toEqual([...decodeMessage(bytes).payload]);
      }),
    );
  });

  it('refuses names and values outside their range', () => {
    const text = (value: string): EventHeader => ({ type: 'string', value });
    expect(() => encodeHeaders([['', text('x')]])).toThrow(RangeError);
    expect(() => encodeHeaders([['n'.repeat(256), text('x')]])).toThrow(RangeError);
    expect(encodeHeaders([['n'.repeat(255), text('x'.repeat(32_767))]]).byteLength).toBe(
      1 + 255 + 3 + 32_767,
    );
    expect(() => encodeHeaders([['n', text('x'.repeat(32_768))]])).toThrow(RangeError);
    expect(() => encodeHeaders([['n', { type: 'byte', value: 128 }]])).toThrow(RangeError);
    expect(() => encodeHeaders([['n', { type: 'uuid', value: 'abc' }]])).toThrow(RangeError);
  });

  it('is refused when any single bit of it is wrong', () => {
    const bytes = encodeMessage(
      [[':event-type', { type: 'string', value: 'PayloadPart' }]],
      Buffer.from('hello'),
    );
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const expected = bit < 12 * 8 ? 'prelude_checksum' : 'message_checksum';
      expect(reasonOf(() => decodeMessage(damaged))).toBe(expected);
    }
  });
});

describe('a decoder of a stream', () => {
  it('gives the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map((one) => encodeMessage(one.headers, one.payload)));
          const expected = messages.map((one) => ({ headers: one.headers, payload: [...one.payload] }));
          expect(decodeAll(cut(bytes, cuts))).toEqual(expected);
        },
      ),
    );
  });

  it('gives the same messages byte by byte', () => {
    const one = encodeMessage([['a', { type: 'integer', value: 7 }]], Buffer.alloc(40, 1));
    const two = encodeMessage([], new Uint8Array(0));
    const bytes = Buffer.concat([one, two, one]);
    expect(decodeAll([...bytes].map((byte) => Uint8Array.of(byte))).length).toBe(3);
  });

  it('tells a stream that ends inside a message, at every byte', () => {
    const bytes = encodeMessage([['a', { type: 'boolean', value: true }]], Buffer.from('payload'));
    for (let length = 1; length < bytes.byteLength; length += 1) {
      expect(reasonOf(() => decodeAll([bytes.subarray(0, length)]))).toBe('frame_truncated');
    }
    expect(decodeAll([bytes]).length).toBe(1);
  });

  it('refuses a length above its bound as soon as the prelude is there, without waiting for the rest', () => {
    const bytes = encodeMessage([], new Uint8Array(100 - OVERHEAD_BYTES));
    expect(decodeAll([bytes], 100).length).toBe(1);
    expect(reasonOf(() => decodeAll([bytes.subarray(0, 12)], 99))).toBe('frame_too_large');
  });

  it('never holds more than the bytes that came, whatever length they announce', () => {
    const bytes = encodeMessage([], new Uint8Array(SAGEMAKER_LIMITS.messageBytesMax));
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 50 }, () => new EventStreamDecoder());
    for (const decoder of decoders) decoder.push(bytes.subarray(0, 20), () => undefined);
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(grown).toBeLessThan(50 * 64 * 1024);
    expect(decoders.every((decoder) => !decoder.isAtBoundary)).toBe(true);
  });

  it('answers garbage with an error of its own, never with another', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        expect(['none', 'prelude_checksum', 'frame_truncated']).toContain(reasonOf(() => decodeAll(chunks)));
      }),
    );
  });

  it('answers headers that lie about themselves with frame_malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (block) => {
        const reason = reasonOf(() => decodeMessage(sealed(block, Buffer.alloc(3))));
        expect(['none', 'frame_malformed']).toContain(reason);
      }),
    );
    const twice = Buffer.concat([
      encodeHeaders([['a', { type: 'boolean', value: true }]]),
      encodeHeaders([['a', { type: 'boolean', value: true }]]),
    ]);
    expect(reasonOf(() => decodeMessage(sealed(twice, Buffer.alloc(0))))).toBe('frame_malformed');
    expect(reasonOf(() => decodeMessage(sealed(Buffer.of(1, 97, 10), Buffer.alloc(0))))).toBe(
      'frame_malformed',
    );
    expect(reasonOf(() => decodeMessage(sealed(Buffer.of(1, 97, 7, 0, 9, 97), Buffer.alloc(0))))).toBe(
      'frame_malformed',
    );
    expect(reasonOf(() => decodeMessage(sealed(Buffer.of(1, 0xff, 0), Buffer.alloc(0))))).toBe(
      'frame_malformed',
    );
  });

  it('refuses more headers than any service sends', () => {
    const many = (count: number): [string, EventHeader][] =>
      Array.from({ length: count }, (_, index) => [`h${index}`, { type: 'boolean', value: true }]);
    const max = SAGEMAKER_LIMITS.headersCountMax;
    expect(decodeMessage(encodeMessage(many(max), Buffer.alloc(0))).headers.size).toBe(max);
    expect(reasonOf(() => decodeMessage(encodeMessage(many(max + 1), Buffer.alloc(0))))).toBe(
      'frame_malformed',
    );
  });

  it('refuses bytes that are less or more than one message where one is expected', () => {
    const bytes = encodeMessage([], Buffer.from('x'));
    expect(reasonOf(() => decodeMessage(Buffer.concat([bytes, Buffer.of(0)])))).toBe('frame_malformed');
    expect(reasonOf(() => decodeMessage(bytes.subarray(0, 10)))).toBe('frame_malformed');
    expect(reasonOf(() => decodeMessage(bytes.subarray(0, bytes.byteLength - 1)))).toBe('frame_malformed');
  });
});

function smithyEntry([key, value]: [string, EventHeader]): [string, never] {
  switch (value.type) {
    case 'timestamp':
      return [key, { type: 'timestamp', value: new Date(value.value) } as never];
    case 'long': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value.value);
      return [key, { type: 'long', value: { bytes } } as never];
    }
    default:
      return [key, value as never];
  }
}

/** A message with right checksums around any block of headers. */
function sealed(block: Uint8Array, payload: Uint8Array): Buffer {
  const whole = Buffer.from(encodeMessage([], Buffer.concat([block, payload])));
  whole.writeUInt32BE(block.byteLength, 4);
  sealMessage(whole, 0, whole.byteLength, block.byteLength);
  return whole;
}
