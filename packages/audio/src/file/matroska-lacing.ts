import { unsigned, vint } from './ebml.js';

/** What stands before the frames of a block. */
export interface BlockHead {
  readonly trackNumber: number;
  /** Against the Cluster's time, in its unit. */
  readonly relativeTime: number;
  readonly lacing: number;
  readonly body: Uint8Array;
}

/** Reads the head of a block; undefined for a damaged one. RFC 9559 section 10. */
export function blockHead(block: Uint8Array): BlockHead | undefined {
  const numberBytes = Math.clz32(block[0] ?? 0) - 23;
  if (numberBytes > 8 || block.length < numberBytes + 3) return undefined;
  return {
    trackNumber: vint(block.subarray(0, numberBytes)),
    relativeTime: new DataView(block.buffer, block.byteOffset, block.byteLength).getInt16(numberBytes),
    lacing: ((block[numberBytes + 2] ?? 0) >> 1) & 3,
    body: block.subarray(numberBytes + 3),
  };
}

/** The frames of a block; undefined for a damaged one. */
export function blockFrames({ lacing, body }: BlockHead): Uint8Array[] | undefined {
  if (lacing === 0) return [body];
  const count = (body[0] ?? 0) + 1;
  if (lacing === 2) return cut(body, 1, Array(count).fill((body.length - 1) / count));
  return lacing === 1 ? xiphLaced(body, 1, count) : ebmlLaced(body, count);
}

/** Frames whose sizes are given as runs of 255; also the three headers of Vorbis in CodecPrivate. */
export function xiphLaced(body: Uint8Array, from: number, count: number): Uint8Array[] | undefined {
  const sizes: number[] = [];
  let at = from;
  for (let size = 0; sizes.length < count - 1 && at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    size += byte;
    if (byte === 255) continue;
    sizes.push(size);
    size = 0;
  }
  return withRest(body, at, sizes, count);
}

function ebmlLaced(body: Uint8Array, count: number): Uint8Array[] | undefined {
  const sizes: number[] = [];
  let at = 1;
  while (sizes.length < count - 1 && at < body.length) {
    const width = Math.clz32(body[at] ?? 0) - 23;
    if (width > 8) return undefined;
    const value = Number(BigInt.asUintN(7 * width, unsigned(body.subarray(at, at + width))));
    // After the first, sizes are signed differences: half of the range is below 0.
    const before = sizes.at(-1);
    sizes.push(before === undefined ? value : before + value - (2 ** (7 * width - 1) - 1));
    at += width;
  }
  return withRest(body, at, sizes, count);
}

function withRest(body: Uint8Array, at: number, sizes: number[], count: number): Uint8Array[] | undefined {
  if (sizes.length !== count - 1) return undefined;
  return cut(body, at, [...sizes, body.length - at - sizes.reduce((sum, size) => sum + size, 0)]);
}

function cut(body: Uint8Array, from: number, sizes: readonly number[]): Uint8Array[] | undefined {
  const frames: Uint8Array[] = [];
  let at = from;
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 0 || at + size > body.length) return undefined;
    frames.push(body.subarray(at, at + size));
    at += size;
  }
  return frames;
}
