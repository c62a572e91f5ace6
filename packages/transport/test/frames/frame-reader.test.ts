import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeCloseFrame,
  encodeFrame,
  encodeFrameHeader,
  FrameCollector,
  FrameReader,
  OPCODE,
} from '../../src/frames/index.js';
import { cutAt, dataFrames, digests, encodeAll, filled, legalFrames, readAll } from './wire.js';

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

describe('FrameReader', () => {
  it.each(['server', 'client'] as const)(
    'reads as a %s the same frames from any cut of the bytes',
    (role) => {
      fc.assert(
        fc.property(legalFrames(role), cuts, (frames, places) => {
          const reader = new FrameReader({ role });
          const bytes = encodeAll(frames);
          const read = readAll(reader, cutAt(bytes, places));
          expect(read.error).toBeUndefined();
          expect(digests(read.frames)).toEqual(digests(frames));
          expect(reader.isBetweenMessages).toBe(true);
          // Headers as they were, also those that came in pieces.
          const plain = dataFrames(frames).map(({ payload, ...fields }) =>
            encodeFrameHeader({ ...fields, payloadBytes: payload.length }),
          );
          expect(read.headers).toEqual(plain);
        }),
        { numRuns: 150 },
      );
    },
  );

  it('reads frames whose every byte comes alone', () => {
    const frames = [
      { isFinal: false, opcode: OPCODE.binary, payload: filled(126, 3), maskKey: -2 },
      { isFinal: true, opcode: OPCODE.ping, payload: filled(5, 1), maskKey: 0x01020304 },
      { isFinal: true, opcode: OPCODE.continuation, payload: filled(0, 0), maskKey: 0 },
    ];
    const bytes = encodeAll(frames);
    const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(readAll(new FrameReader({ role: 'server' }), pieces).frames).toEqual(frames);
  });

  it('never throws anything but its own errors on garbage, whatever the cut, and says the same in each cut', () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(legalFrames('server'), fc.nat(), fc.nat(255))
        .map(([frames, at, value]) => damaged(encodeAll(frames), at, value)),
    );
    fc.assert(
      fc.property(garbage, cuts, (bytes, places) => {
        const whole = readAll(new FrameReader({ role: 'server' }), [bytes.slice()]);
        const cut = readAll(new FrameReader({ role: 'server' }), cutAt(bytes, places));
        if (whole.error !== undefined) {
          expect(['protocol_error', 'message_too_big', 'invalid_utf8']).toContain(whole.error.code);
        }
        expect(digests(cut.frames)).toEqual(digests(whole.frames));
        expect(cut.error?.message).toBe(whole.error?.message);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, 'server' | 'client', number[], string]>([
    ['a reserved bit', 'client', [0xc1, 0x00], 'protocol_error'],
    ['an unknown data opcode', 'client', [0x83, 0x00], 'protocol_error'],
    ['an unknown control opcode', 'client', [0x8b, 0x00], 'protocol_error'],
    ['a ping in fragments', 'client', [0x09, 0x00], 'protocol_error'],
    ['a ping above 125 bytes', 'client', [0x89, 126], 'protocol_error'],
    ['a client frame without a mask', 'server', [0x81, 0x00], 'protocol_error'],
    ['a server frame with a mask', 'client', [0x81, 0x80], 'protocol_error'],
    ['a 16-bit length below 126', 'client', [0x81, 126, 0, 125], 'protocol_error'],
    ['a 64-bit length below 65536', 'client', [0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255], 'protocol_error'],
    [
      'a 64-bit length with its highest bit',
      'client',
      [0x81, 127, 128, 0, 0, 0, 0, 0, 0, 0],
      'protocol_error',
    ],
    ['a length above the limit', 'client', [0x82, 127, 0, 0, 0, 0, 1, 0, 0, 1], 'message_too_big'],
    ['an enormous length', 'client', [0x82, 127, 127, 255, 255, 255, 255, 255, 255, 255], 'message_too_big'],
    ['a continuation without a start', 'client', [0x80, 0x00], 'protocol_error'],
    ['a message inside a message', 'client', [0x01, 0x00, 0x81, 0x00], 'protocol_error'],
    ['a close frame of one byte', 'client', [0x88, 0x01, 0x03], 'protocol_error'],
    ['close code 1005', 'client', [0x88, 0x02, 0x03, 0xed], 'protocol_error'],
    ['close code 1006', 'client', [0x88, 0x02, 0x03, 0xee], 'protocol_error'],
    ['close code 2999', 'client', [0x88, 0x02, 0x0b, 0xb7], 'protocol_error'],
    ['a close reason that is not UTF-8', 'client', [0x88, 0x03, 0x03, 0xe8, 0xff], 'invalid_utf8'],
  ])('refuses %s', (_what, role, bytes, code) => {
    for (const pieces of [[Uint8Array.from(bytes)], bytes.map((byte) => Uint8Array.of(byte))]) {
      const reader = new FrameReader({ role });
      const { error } = readAll(reader, pieces);
      expect(error?.code).toBe(code);
      expect(() => reader.next()).toThrow(error);
    }
  });

  it('counts the fragments of a message against the limit, and begins anew with each message', () => {
    const frame = (isFinal: boolean, opcode: 0 | 2, size: number): Uint8Array =>
      encodeFrame(filled(size, 0), { isFinal, opcode });
    const reader = (): FrameReader => new FrameReader({ role: 'client', messageBytesMax: 10 });
    expect(
      readAll(reader(), [frame(false, 2, 6), frame(true, 0, 4), frame(true, 2, 10)]).error,
    ).toBeUndefined();
    expect(readAll(reader(), [frame(false, 2, 6), frame(true, 0, 5)]).error?.code).toBe('message_too_big');
  });

  it('reads no further than told in a buffer that is used again and again', () => {
    const buffer = new Uint8Array(64).fill(0xff);
    const reader = new FrameReader({ role: 'client' });
    const frame = encodeFrame(filled(9, 4), { opcode: OPCODE.text });
    const places: number[] = [];
    for (const piece of [frame.subarray(0, 1), frame.subarray(1, 5), frame.subarray(5)]) {
      buffer.set(piece);
      reader.push(buffer, piece.length);
      for (let step = reader.next(); step !== 'starved'; step = reader.next()) {
        if (step === 'payload') places.push(...reader.chunk.subarray(reader.start, reader.end));
      }
    }
    expect(places).toEqual([...filled(9, 4)]);
    expect(reader.isBetweenMessages).toBe(true);
  });

  it('drops what comes after a close frame', () => {
    const reader = new FrameReader({ role: 'client' });
    const { frames, error } = readAll(reader, [encodeCloseFrame(1000, 'bye'), Uint8Array.of(0xff, 0xff)]);
    expect(error).toBeUndefined();
    expect(frames).toHaveLength(1);
  });

  it('refuses bytes before the ones it has are used up', () => {
    const reader = new FrameReader({ role: 'client' });
    reader.push(encodeFrame(filled(3, 0), { opcode: OPCODE.text }));
    reader.next();
    expect(() => reader.push(Uint8Array.of(1))).toThrowError(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});

describe('FrameCollector', () => {
  it('gives whole frames, unmasked, with the kind of their message', () => {
    fc.assert(
      fc.property(legalFrames('server'), cuts, (frames, places) => {
        const collector = new FrameCollector({ role: 'server' });
        const read = cutAt(encodeAll(frames), places).flatMap((piece) => {
          collector.push(piece);
          const found = [];
          for (let frame = collector.next(); frame !== undefined; frame = collector.next()) found.push(frame);
          return found;
        });
        const plain = read.map(({ messageOpcode: _kind, ...frame }) => frame);
        expect(digests(plain)).toEqual(digests(frames.map(({ maskKey: _key, ...frame }) => frame)));
        let kind: number = OPCODE.text;
        for (const { opcode, messageOpcode } of read) {
          if (opcode === OPCODE.text || opcode === OPCODE.binary) kind = opcode;
          expect(messageOpcode).toBe(opcode >= OPCODE.close ? opcode : kind);
        }
        expect(collector.isBetweenMessages).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

function damaged(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (bytes.length > 0) bytes[at % bytes.length] = value;
  return bytes;
}
