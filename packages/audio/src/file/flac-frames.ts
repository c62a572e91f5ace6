import { type ByteCursor, joined } from './byte-cursor.js';
import { beginsStream, FlacFrameSearch } from './flac-frame-search.js';

/** What STREAMINFO says (RFC 9639 section 8.2). */
export interface FlacStreamInfo {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** 0: not known. */
  readonly totalSamples: number;
  /** `fLaC` and STREAMINFO as the only metadata block: what a decoder wants before the first frame. */
  readonly header: Uint8Array;
}

const STREAM_INFO_BYTES = 34;

/** Reads the 34 bytes of STREAMINFO; undefined where the rate is 0, which the format forbids for sound. */
export function flacStreamInfo(block: Uint8Array): FlacStreamInfo | undefined {
  if (block.length < STREAM_INFO_BYTES) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const sampleRateHz = view.getUint32(10) >>> 12;
  if (sampleRateHz === 0) return undefined;
  const header = joined(
    [
      Uint8Array.of(0x66, 0x4c, 0x61, 0x43, 0x80, 0, 0, STREAM_INFO_BYTES),
      block.subarray(0, STREAM_INFO_BYTES),
    ],
    8 + STREAM_INFO_BYTES,
  );
  return {
    sampleRateHz,
    channels: ((view.getUint8(12) >> 1) & 7) + 1,
    totalSamples: (view.getUint8(13) & 15) * 2 ** 32 + view.getUint32(14),
    header,
  };
}

/** One frame, and whether something before it, or of it, was lost. */
export interface FlacFrame {
  readonly bytes: Uint8Array;
  readonly gap: boolean;
}

/** A native FLAC stream, taken apart: its STREAMINFO (undefined: unusable), and its frames one by one. */
export interface FlacStream {
  readonly info: FlacStreamInfo | undefined;
  /** Whole frames whose checksum is right; and what the stream ends with, from a header on that no end was found for. */
  readonly frames: AsyncGenerator<FlacFrame, void>;
}

/** Reads the metadata of a native FLAC stream, and finds its frames; undefined at the end of the file. */
export async function openFlac(cursor: ByteCursor): Promise<FlacStream | undefined> {
  if (!(await cursor.fill(1))) return undefined;
  let info: FlacStreamInfo | undefined;
  await cursor.fill(4);
  cursor.drop(4); // "fLaC", seen by the sniffer, or where the frames of the stream before ended
  for (let isLast = false; !isLast && (await cursor.fill(4)); ) {
    const [kind = 0, b1 = 0, b2 = 0, b3 = 0] = cursor.take(4);
    const lengthBytes = (b1 << 16) | (b2 << 8) | b3;
    isLast = (kind & 0x80) !== 0;
    const infoBytes = (kind & 0x7f) === 0 ? Math.min(lengthBytes, STREAM_INFO_BYTES) : 0;
    if (infoBytes > 0 && (await cursor.fill(infoBytes))) info = flacStreamInfo(cursor.take(infoBytes));
    await cursor.skip(lengthBytes - infoBytes);
  }
  return { info, frames: flacFrames(cursor) };
}

/**
 * Cuts a run of bytes into frames, up to the next stream. One pass, each byte looked at once, whatever it is. Mediabunny ends at
 * the first damage, or where the header lies about the longest frame: docs/benchmarks.md, "Containers".
 */
async function* flacFrames(cursor: ByteCursor): AsyncGenerator<FlacFrame, void> {
  let gap = false;
  let search = new FlacFrameSearch();
  for (let isEnd = false; !isEnd || cursor.held.length > 0; ) {
    isEnd = !(await cursor.fill(search.passedBytes + READ_AHEAD_BYTES));
    const found = search.goOn(cursor.held, isEnd);
    if (found !== undefined) {
      cursor.drop(found.start);
      const bytes = cursor.take(found.end - found.start);
      gap ||= found.start > 0 || !found.isWhole;
      if (bytes.length > 0) {
        yield { bytes, gap };
        gap = false;
      }
      if (beginsStream(cursor.held, 0)) return;
      search = new FlacFrameSearch();
    } else if (search.uselessBytes > 0) {
      gap = true;
      cursor.drop(search.forget());
    }
  }
}

const READ_AHEAD_BYTES = 4096;
