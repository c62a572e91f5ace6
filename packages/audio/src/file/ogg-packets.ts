import { ByteCursor, joined } from './byte-cursor.js';
import { OGG_CHECKS_PER_BYTE_MAX, PACKET_BYTES_MAX } from './limits.js';

/** One packet of the first logical stream in an Ogg file (RFC 3533). */
export interface OggPacket {
  readonly bytes: Uint8Array;
  /** The first packet of a logical stream; a chained file has several. */
  readonly startsStream: boolean;
  /** Granule position of the page that the packet ends on: the codec's clock after that page's last packet, in samples. */
  readonly pageGranule: number;
  /** No other packet ends on that page. */
  readonly isLastOnPage: boolean;
  /** The packet ends on the last page of its stream, where the granule position says how much of it counts. */
  readonly isOnLastPage: boolean;
  /** Pages before this packet were lost or damaged. */
  readonly followsGap: boolean;
}

interface Page {
  readonly isContinued: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly granule: number;
  readonly serial: number;
  readonly sequence: number;
  readonly lacing: Uint8Array;
  readonly body: Uint8Array;
}

const HEADER_BYTES = 27;
const CAPTURE = [0x4f, 0x67, 0x67, 0x53]; // "OggS"

/**
 * The packets of the stream that begins the file, and of those that follow it. Pages with a wrong checksum are dropped, those of
 * streams beside it are passed over: they begin before its second page. Mediabunny checks no sums, ends at the first damage or
 * stream, and knows no FLAC in Ogg: docs/benchmarks.md, "Containers".
 */
export async function* oggPackets(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<OggPacket, void> {
  const cursor = new ByteCursor(pieces);
  const damage = { seen: false, creditBytes: 0 };
  let serial: number | undefined;
  let sequence = -1;
  let mayBegin = true;
  let parts: Uint8Array[] = [];
  let partsBytes = 0;
  for (let page = await nextPage(cursor, damage); page !== undefined; page = await nextPage(cursor, damage)) {
    const begins = page.isFirst && mayBegin;
    if (begins) serial = page.serial;
    if (page.serial !== serial) continue;
    if (!begins && page.sequence !== sequence + 1) damage.seen = true;
    if (damage.seen || !page.isContinued) {
      parts = [];
      partsBytes = 0;
    }
    // The end of a packet whose beginning was lost is of no use.
    let skipping = page.isContinued && parts.length === 0;
    sequence = page.sequence;
    mayBegin = page.isLast || !page.isFirst;
    let at = 0;
    let isFirstPacket = begins;
    const lastEnd = page.lacing.findLastIndex((length) => length < 255);
    for (const [index, length] of page.lacing.entries()) {
      if (partsBytes + length > PACKET_BYTES_MAX) skipping = true;
      if (!skipping) parts.push(page.body.subarray(at, at + length));
      if (!skipping) partsBytes += length;
      at += length;
      if (length === 255) continue;
      if (!skipping) {
        yield {
          bytes: joined(parts, partsBytes),
          startsStream: isFirstPacket,
          pageGranule: page.granule,
          isLastOnPage: index === lastEnd,
          isOnLastPage: page.isLast,
          followsGap: damage.seen,
        };
        isFirstPacket = false;
        damage.seen = false;
      }
      skipping = false;
      parts = [];
      partsBytes = 0;
    }
    if (skipping) parts = [];
  }
}

/** What was found on the way. */
interface Damage {
  /** Pages were lost. */
  seen: boolean;
  /** Bytes that may be checked in vain: marks of pages may stand close, and each can claim the 64 KiB behind it. */
  creditBytes: number;
}

/** The next page whose checksum is right; undefined at the end. */
async function nextPage(cursor: ByteCursor, damage: Damage): Promise<Page | undefined> {
  const passOver = (bytes: number): void => {
    damage.seen = true;
    damage.creditBytes += OGG_CHECKS_PER_BYTE_MAX * bytes;
    cursor.drop(bytes);
  };
  while (await cursor.fill(HEADER_BYTES)) {
    if (!CAPTURE.every((byte, index) => cursor.held[index] === byte)) {
      const next = cursor.held.indexOf(CAPTURE[0] ?? 0, 1);
      passOver(next < 0 ? cursor.held.length : next);
      continue;
    }
    const segments = cursor.held[26] ?? 0;
    if (!(await cursor.fill(HEADER_BYTES + segments))) break;
    const lacing = cursor.held.slice(HEADER_BYTES, HEADER_BYTES + segments);
    const pageBytes = HEADER_BYTES + segments + lacing.reduce((sum, length) => sum + length, 0);
    if (damage.creditBytes < 0 || !(await cursor.fill(pageBytes))) {
      passOver(1);
      continue;
    }
    if (checksum(cursor.held.subarray(0, pageBytes)) !== 0) {
      damage.creditBytes -= pageBytes;
      passOver(1);
      continue;
    }
    damage.creditBytes += OGG_CHECKS_PER_BYTE_MAX * pageBytes;
    return pageOf(cursor.take(pageBytes), lacing);
  }
  return undefined;
}

function pageOf(bytes: Uint8Array, lacing: Uint8Array): Page {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(5);
  return {
    isContinued: (flags & 1) !== 0,
    isFirst: (flags & 2) !== 0,
    isLast: (flags & 4) !== 0,
    granule: Number(view.getBigInt64(6, true)),
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    lacing,
    body: bytes.subarray(HEADER_BYTES + lacing.length),
  };
}

/** CRC-32 of RFC 3533 (polynomial 04c11db7, not reflected). */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/** 0 where the page's own checksum agrees with its content. */
function checksum(page: Uint8Array): number {
  let crc = 0;
  for (let at = 0; at < page.length; at += 1) {
    const byte = at >= 22 && at < 26 ? 0 : (page[at] ?? 0);
    crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] ?? 0);
  }
  const stated = new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(22, true);
  return (crc >>> 0) ^ stated;
}
