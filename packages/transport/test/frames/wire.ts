import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { TransportError } from '../../src/errors.js';
import {
  applyMask,
  encodeFrame,
  encodeFrameHeader,
  type FrameReader,
  isControl,
  OPCODE,
  type Opcode,
} from '../../src/frames/index.js';

/** A frame as a test sees it. */
export interface PlainFrame {
  readonly isFinal: boolean;
  readonly opcode: Opcode;
  readonly payload: Uint8Array;
  readonly maskKey: number | undefined;
}

/** Cuts bytes at the given places (numbers from 0 to 1 of the whole). */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  return at.map((end) => {
    const piece = bytes.slice(start, end);
    start = end;
    return piece;
  });
}

/** Joins byte strings. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Reads all pieces to the end: frames (payloads unmasked), and the error that ended it, if any. */
export function readAll(
  reader: FrameReader,
  pieces: readonly Uint8Array[],
): { frames: PlainFrame[]; headers: Uint8Array[]; error: TransportError | undefined } {
  const frames: PlainFrame[] = [];
  const headers: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  const add = (payload: Uint8Array): void => {
    const { isFinal, opcode, isMasked, maskKey } = reader.frame;
    frames.push({ isFinal, opcode, payload, maskKey: isMasked ? maskKey : undefined });
  };
  const headerAsRead = (): Uint8Array => {
    const { headerStart, start, chunk, frame } = reader;
    if (headerStart >= 0) return chunk.slice(headerStart, start);
    return encodeFrameHeader({ ...frame, maskKey: frame.isMasked ? frame.maskKey : undefined });
  };
  try {
    for (const piece of pieces) {
      reader.push(piece);
      for (let step = reader.next(); step !== 'starved'; step = reader.next()) {
        if (step === 'control') add(reader.controlPayload);
        if (step === 'header') headers.push(headerAsRead());
        if (step === 'payload') {
          const part = reader.chunk.slice(reader.start, reader.end);
          applyMask(part, reader.frame.maskKey, reader.payloadAt);
          parts.push(part);
          if (reader.isFrameEnd) {
            add(joined(parts));
            parts = [];
          }
        }
      }
    }
    return { frames, headers, error: undefined };
  } catch (error) {
    return { frames, headers, error: error as TransportError };
  }
}

/** Frames in a form that is quick to compare: payloads by length and digest. */
export function digests<F extends { readonly payload: Uint8Array }>(frames: readonly F[]): unknown[] {
  return frames.map(({ payload, ...rest }) => ({
    ...rest,
    payload: `${payload.length} bytes ${createHash('sha1').update(payload).digest('hex')}`,
  }));
}

/** The bytes of frames. */
export function encodeAll(frames: readonly PlainFrame[]): Uint8Array {
  return joined(frames.map(({ payload, ...fields }) => encodeFrame(payload, fields)));
}

const sizes = fc.oneof(
  { weight: 9, arbitrary: fc.nat(300) },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 2, 3, 4, 124, 125, 126, 127) },
  { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 65_537) },
);
const payloads = fc.tuple(sizes, fc.nat(255)).map(([size, seed]) => filled(size, seed));
const controls = fc.record({
  opcode: fc.constantFrom(OPCODE.ping, OPCODE.pong),
  payload: fc.uint8Array({ maxLength: 125 }),
});
const keys = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** Bytes that differ from one another in a known way. */
export function filled(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) & 0xff);
}

/** Messages in fragments, with pings and pongs between the fragments, as one side may send them. */
export function legalFrames(role: 'server' | 'client'): fc.Arbitrary<PlainFrame[]> {
  const maskKey = role === 'server' ? keys : fc.constant(undefined);
  const message = fc.record({
    opcode: fc.constantFrom(OPCODE.text, OPCODE.binary),
    fragments: fc.array(
      fc.record({ payload: payloads, maskKey, before: fc.array(fc.record({ control: controls, maskKey })) }),
      { minLength: 1, maxLength: 4 },
    ),
  });
  return fc.array(message, { maxLength: 6 }).map((messages) =>
    messages.flatMap(({ opcode, fragments }) =>
      fragments.flatMap((fragment, index) => [
        ...fragment.before.map(({ control, maskKey: key }) => ({ ...control, isFinal: true, maskKey: key })),
        {
          isFinal: index === fragments.length - 1,
          opcode: index === 0 ? opcode : OPCODE.continuation,
          payload: fragment.payload,
          maskKey: fragment.maskKey,
        },
      ]),
    ),
  );
}

/** Frames without control frames. */
export function dataFrames(frames: readonly PlainFrame[]): PlainFrame[] {
  return frames.filter(({ opcode }) => !isControl(opcode));
}
