import { ByteCursor, joined } from './byte-cursor.js';
import { FLAC_FRAME_BYTES_MAX } from './limits.js';

/** What STREAMINFO says (RFC 9639 section 8.2). */
export interface FlacStreamInfo {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** 0: not known. */
  readonly totalSamples: number;
  /** `fLaC` and STREAMINFO as the only metadata block: what a decoder wants before the first frame. */
  readonly header: Uint8Array;
}

/** Reads the 34 bytes of STREAMINFO; undefined where the rate is 0, which the format forbids for sound. */
export function flacStreamInfo(block: Uint8Array): FlacStreamInfo | undefined {
  if (block.length < 34) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const sampleRateHz = view.getUint32(10) >>> 12;
  if (sampleRateHz === 0) return undefined;
  const header = joined(
    [Uint8Array.of(0x66, 0x4c, 0x61, 0x43, 0x80, 0, 0, 34), block.subarray(0, 34)],
    8 + 34,
  );
  return {
    sampleRateHz,
    channels: ((view.getUint8(12) >> 1) & 7) + 1,
    totalSamples: (view.getUint8(13) & 15) * 2 ** 32 + view.getUint32(14),
    header,
  };
}

/** A native FLAC stream, taken apart: its STREAMINFO (undefined: unusable), and its frames one by one. */
export interface FlacStream {
  readonly info: FlacStreamInfo | undefined;
  /** Whole frames whose checksum is right. `gap` is true where bytes before this frame made none. */
  readonly frames: AsyncGenerator<{ readonly bytes: Uint8Array; readonly gap: boolean }, void>;
}

/** Reads the metadata of a native FLAC stream, and finds its frames. */
export async function openFlac(pieces: AsyncIterable<Uint8Array>): Promise<FlacStream> {
  const cursor = new ByteCursor(pieces);
  let info: FlacStreamInfo | undefined;
  await skipId3(cursor);
  await cursor.fill(4);
  cursor.drop(4); // "fLaC", seen by the sniffer
  for (let isLast = false; !isLast && (await cursor.fill(4)); ) {
    const [kind = 0, b1 = 0, b2 = 0, b3 = 0] = cursor.take(4);
    const lengthBytes = (b1 << 16) | (b2 << 8) | b3;
    isLast = (kind & 0x80) !== 0;
    if ((kind & 0x7f) === 0 && (await cursor.fill(lengthBytes)))
      info = flacStreamInfo(cursor.take(lengthBytes));
    else await cursor.skip(lengthBytes);
  }
  return { info, frames: flacFrames(cursor) };
}

async function skipId3(cursor: ByteCursor): Promise<void> {
  if (!(await cursor.fill(10))) return;
  const [i, d, three, , , , a = 0, b = 0, c = 0, e = 0] = cursor.held;
  if (i !== 0x49 || d !== 0x44 || three !== 0x33) return;
  await cursor.skip(10 + ((a & 127) << 21) + ((b & 127) << 14) + ((c & 127) << 7) + (e & 127));
}

/**
 * Cuts a run of bytes into frames. A frame has no length field: it ends where the next header (with its own
 * CRC-8) begins and the CRC-16 over everything from its header on is 0. One pass, each byte looked at once,
 * but for bytes that turn out to be no frame.
 */
async function* flacFrames(
  cursor: ByteCursor,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly gap: boolean }, void> {
  let gap = false;
  while (await cursor.fill(2)) {
    const lengthBytes = (await isHeader(cursor, 0)) ? await frameLength(cursor) : 0;
    if (lengthBytes > 0) {
      yield { bytes: cursor.take(lengthBytes), gap };
      gap = false;
      continue;
    }
    gap = true;
    const next = cursor.held.indexOf(0xff, 1);
    cursor.drop(next < 0 ? cursor.held.length : next);
  }
}

/** Length of the frame that begins the held bytes; 0 where no end is found within bounds. */
async function frameLength(cursor: ByteCursor): Promise<number> {
  let crc = 0;
  for (let at = 0; at < FLAC_FRAME_BYTES_MAX; at += 1) {
    if (
      at >= cursor.held.length - 1 &&
      !(await cursor.fill(at + READ_AHEAD_BYTES)) &&
      at >= cursor.held.length
    ) {
      return crc === 0 && at > MIN_FRAME_BYTES ? at : 0; // the last frame ends with the stream
    }
    const byte = cursor.held[at] ?? 0;
    if (crc === 0 && at > MIN_FRAME_BYTES && byte === 0xff && (await isHeader(cursor, at))) return at;
    crc = ((crc << 8) & 0xffff) ^ (CRC16_TABLE[(crc >> 8) ^ byte] ?? 0);
  }
  return 0;
}

const READ_AHEAD_BYTES = 4096;
const MIN_FRAME_BYTES = 8;
/** The longest header: 4 fixed bytes, 7 of frame number, 2 of block size, 2 of rate, its CRC-8. */
const MAX_HEADER_BYTES = 16;

/** Is there a frame header at `at`, by its sync code, its reserved values and its CRC-8 (RFC 9639 section 9.1)? */
async function isHeader(cursor: ByteCursor, at: number): Promise<boolean> {
  await cursor.fill(at + MAX_HEADER_BYTES);
  const head = cursor.held.subarray(at, at + MAX_HEADER_BYTES);
  const [b0, b1 = 0, b2 = 0, b3 = 0, b4 = 0] = head;
  if (b0 !== 0xff || (b1 & 0xfe) !== 0xf8) return false;
  const blockCode = b2 >> 4;
  const rateCode = b2 & 15;
  if (blockCode === 0 || rateCode === 15 || b3 >> 4 > 10 || (b3 & 1) !== 0) return false;
  const numberBytes = b4 < 0x80 ? 1 : Math.clz32(~(b4 << 24));
  const blockBytes = blockCode === 6 ? 1 : blockCode === 7 ? 2 : 0;
  const rateBytes = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0;
  const crcAt = 4 + numberBytes + blockBytes + rateBytes;
  let crc = 0;
  for (const byte of head.subarray(0, crcAt + 1)) crc = CRC8_TABLE[crc ^ byte] ?? 0;
  return head.length > crcAt && crc === 0;
}

const CRC8_TABLE = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ ((crc & 0x80) === 0 ? 0 : 0x107);
  return crc;
});
const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x18005);
  return crc;
});
