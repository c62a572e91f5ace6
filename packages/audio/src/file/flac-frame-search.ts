import { FLAC_FRAME_BYTES_MAX } from './limits.js';

/** Where a frame lies among the bytes that were given. */
export interface FoundFrame {
  readonly start: number;
  /** The first byte behind it. */
  readonly end: number;
  /** Its checksum is right. False: the stream ends here, and this is what it ends with: a frame that is cut off, or followed by junk, or nothing. */
  readonly isWhole: boolean;
}

/**
 * Finds the next whole frame. A frame has no length field: it ends where the next header (with its own CRC-8), a tag or another
 * file begins, and the CRC-16 over everything from its header on is 0.
 *
 * Every header may be the end of a frame that any earlier one began, and hostile bytes are headers and nothing else. So
 * no pair is checked: a CRC is linear, and that of the bytes from s to e is 0 where C(e) = C(s) · x^8(e-s), with C(n) the
 * CRC of the first n bytes. Brought back to the beginning as C(n) · x^-8n, the two are equal, and a table finds them.
 */
export class FlacFrameSearch {
  /** Bytes that were given and are forgotten. */
  #forgottenBytes = 0;
  /** Bytes passed, with those forgotten, and the CRC-16 of all of them. */
  #at = 0;
  #crc = 0;
  /** The first header passed. */
  #firstStart: number | undefined;
  /** Headers passed, by their CRC brought back; 65,536 at most. */
  readonly #starts = new Map<number, number>();

  /** How many of the bytes held were looked at. */
  get passedBytes(): number {
    return this.#at - this.#forgottenBytes;
  }

  /** How many of the bytes held lie too far back to be in a frame that ends here. */
  get uselessBytes(): number {
    return Math.max(0, this.passedBytes - FLAC_FRAME_BYTES_MAX);
  }

  /** The bytes of no use are dropped by the caller, now; returns how many. */
  forget(): number {
    const bytes = this.uselessBytes;
    this.#forgottenBytes += bytes;
    return bytes;
  }

  /** Looks at the bytes behind those passed, but for the last few unless it is the end; undefined: no frame ends there. */
  goOn(held: Uint8Array, isEnd: boolean): FoundFrame | undefined {
    const until = isEnd ? held.length : held.length - MAX_HEADER_BYTES;
    for (let at = this.passedBytes; at < until; at += 1) {
      const byte = held[at] ?? 0;
      const isFrame = byte === 0xff && isHeader(held, at);
      if (isFrame || (BEGINS_MARK[byte] === 1 && isMark(held, at))) {
        const start = this.#startOf(isFrame);
        if (start !== undefined) return { start, end: at, isWhole: true };
        if (beginsStream(held, at)) return this.#lastOf(at);
      }
      this.#crc = ((this.#crc << 8) & 0xffff) ^ (CRC16_TABLE[(this.#crc >> 8) ^ byte] ?? 0);
      this.#at += 1;
    }
    if (!isEnd) return undefined;
    const start = this.#startOf(false);
    return start === undefined ? this.#lastOf(held.length) : { start, end: held.length, isWhole: true };
  }

  /** What the stream ends with. */
  #lastOf(end: number): FoundFrame {
    const start = (this.#firstStart ?? -1) - this.#forgottenBytes;
    return { start: start < 0 ? end : start, end, isWhole: false };
  }

  /** Where the frame began that ends here; where there is none, one may begin. */
  #startOf(mayBegin: boolean): number | undefined {
    const mark = product(this.#crc, POWERS[(ORDER - ((8 * this.#at) % ORDER)) % ORDER] ?? 0);
    const start = this.#starts.get(mark);
    const bytes = start === undefined ? Number.POSITIVE_INFINITY : this.#at - start;
    if (start !== undefined && bytes > MIN_FRAME_BYTES && bytes <= FLAC_FRAME_BYTES_MAX) {
      return start - this.#forgottenBytes;
    }
    if (mayBegin && bytes > MIN_FRAME_BYTES) {
      this.#firstStart ??= this.#at;
      this.#starts.set(mark, this.#at);
    }
    return undefined;
  }
}

/** How what may stand behind a last frame begins: another file ("fLaC"), tags of it or of this one ("APETAGEX"). */
const MARKS: ReadonlySet<number> = new Set(
  ['fLa', 'ID3', 'TAG', 'APE'].map((mark) => Buffer.from(mark).readUIntBE(0, 3)),
);
/** 1 for the first byte of a mark: asked for every byte, where a `Set` would take three times as long. */
const BEGINS_MARK = Uint8Array.from({ length: 256 }, (_, byte) =>
  [...MARKS].some((mark) => mark >> 16 === byte) ? 1 : 0,
);

function isMark(held: Uint8Array, at: number): boolean {
  return MARKS.has(((held[at] ?? 0) << 16) | ((held[at + 1] ?? 0) << 8) | (held[at + 2] ?? 0));
}

/** Does another file begin at `at`: its mark, and STREAMINFO, which is always the first of its metadata? */
export function beginsStream(held: Uint8Array, at: number): boolean {
  return (
    String.fromCharCode(...held.subarray(at, at + 4)) === 'fLaC' &&
    ((held[at + 4] ?? 0) & 0x7f) === 0 &&
    held[at + 7] === 34
  );
}

const MIN_FRAME_BYTES = 8;
/** The longest header: 4 fixed bytes, 7 of frame number, 2 of block size, 2 of rate, its CRC-8. */
const MAX_HEADER_BYTES = 16;

/** Is there a frame header at `at`, by its sync code, its reserved values and its CRC-8 (RFC 9639 section 9.1)? */
function isHeader(held: Uint8Array, at: number): boolean {
  const b1 = held[at + 1] ?? 0;
  const b2 = held[at + 2] ?? 0;
  const b3 = held[at + 3] ?? 0;
  const b4 = held[at + 4] ?? 0;
  if ((b1 & 0xfe) !== 0xf8) return false;
  const blockCode = b2 >> 4;
  const rateCode = b2 & 15;
  if (blockCode === 0 || rateCode === 15 || b3 >> 4 > 10 || (b3 & 1) !== 0) return false;
  const numberBytes = b4 < 0x80 ? 1 : Math.clz32(~(b4 << 24));
  const blockBytes = blockCode === 6 ? 1 : blockCode === 7 ? 2 : 0;
  const rateBytes = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0;
  const crcAt = at + 4 + numberBytes + blockBytes + rateBytes;
  if (crcAt >= held.length) return false;
  let crc = 0;
  for (let index = at; index <= crcAt; index += 1) crc = CRC8_TABLE[crc ^ (held[index] ?? 0)] ?? 0;
  return crc === 0;
}

/** x^16 + x^15 + x^2 + 1. */
const CRC16_POLYNOMIAL = 0x18005;
/** Powers of x repeat after so many. */
const ORDER = 32_767;

/** One polynomial times x. */
function shifted(polynomial: number): number {
  return (polynomial << 1) ^ ((polynomial & 0x8000) === 0 ? 0 : CRC16_POLYNOMIAL);
}

/** One polynomial times the other. */
function product(one: number, other: number): number {
  let sum = 0;
  for (let term = one, rest = other; rest !== 0; rest >>= 1, term = shifted(term)) {
    if ((rest & 1) !== 0) sum ^= term;
  }
  return sum;
}

const POWERS = new Uint16Array(ORDER);
for (let power = 1, exponent = 0; exponent < ORDER; exponent += 1, power = shifted(power)) {
  POWERS[exponent] = power;
}
const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = shifted(crc);
  return crc;
});
const CRC8_TABLE = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ ((crc & 0x80) === 0 ? 0 : 0x107);
  return crc;
});
