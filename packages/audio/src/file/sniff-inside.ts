import type { AudioFormat } from './format-table.js';
import {
  ac3FrameAt,
  adtsFrameAt,
  countFrames,
  type FrameHeader,
  isLatmBeginning,
  loasFrameAt,
  mpegFrameAt,
} from './frame-sync.js';
import { oggCodecOf } from './ogg-codec.js';

/** A format, and how many bytes of something else stand before it. */
export interface FoundInside {
  readonly format: AudioFormat;
  /** 0 for MPEG-TS, whose readers look for the first packet themselves. */
  readonly junkBytes: number;
}

/** Frames that follow each other: two sync bytes turn up by chance, six headers in the right places do not. */
const CHAIN_FRAMES = 6;
interface Chain {
  readonly format: AudioFormat;
  readonly at: HeaderAt;
  readonly first: number;
  /** Not every frame may be the first that is read. */
  readonly mayBegin?: (bytes: Uint8Array, at: number) => boolean;
}
const CHAINS: readonly Chain[] = [
  { format: 'mp3', at: mpegFrameAt, first: 0xff },
  { format: 'aac', at: adtsFrameAt, first: 0xff },
  { format: 'ac3', at: ac3FrameAt, first: 0x0b },
  { format: 'latm', at: loasFrameAt, first: 0x56, mayBegin: isLatmBeginning },
];
type HeaderAt = (bytes: Uint8Array, at: number) => FrameHeader | undefined;

/** Sizes of a packet of MPEG-TS: plain, with a time before, with check bytes behind. */
const TS_STEPS = [188, 192, 204];
const TS_PACKETS = 5;

/** What begins in the midst of these bytes: a stream that was cut out of another, or junk before a file. */
export function sniffInside(bytes: Uint8Array): FoundInside | undefined {
  for (let at = 0; at < bytes.length - 4; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x47 && TS_STEPS.some((step) => isTransport(bytes, at, step))) {
      return { format: 'mpeg-ts', junkBytes: 0 };
    }
    const chain = CHAINS.find((row) => row.first === byte && isChain(bytes, at, row));
    if (chain !== undefined) return { format: chain.format, junkBytes: at };
    const format = byte === 0x4f ? oggAt(bytes, at) : byte === 0x66 ? flacAt(bytes, at) : undefined;
    if (format !== undefined) return { format, junkBytes: at };
  }
  return undefined;
}

function isChain(bytes: Uint8Array, at: number, { at: headerAt, mayBegin }: Chain): boolean {
  const isFirst = mayBegin?.(bytes, at) ?? true;
  return isFirst && countFrames(bytes, at, CHAIN_FRAMES, headerAt) === CHAIN_FRAMES;
}

function isTransport(bytes: Uint8Array, at: number, step: number): boolean {
  for (let packet = 1; packet < TS_PACKETS; packet += 1) if (bytes[at + packet * step] !== 0x47) return false;
  return true;
}

/** A page of Ogg that begins a stream: version 0, the flag of a first page. */
function oggAt(bytes: Uint8Array, at: number): AudioFormat | undefined {
  const isPage = text(bytes, at, 4) === 'OggS' && bytes[at + 4] === 0 && bytes[at + 5] === 2;
  return isPage ? oggCodecOf(bytes.subarray(at + 27 + (bytes[at + 26] ?? 0))) : undefined;
}

/** The mark of FLAC and the head of STREAMINFO, always the first of its metadata. */
function flacAt(bytes: Uint8Array, at: number): AudioFormat | undefined {
  const isFlac = text(bytes, at, 4) === 'fLaC' && ((bytes[at + 4] ?? 1) & 0x7f) === 0 && bytes[at + 7] === 34;
  return isFlac ? 'flac' : undefined;
}

function text(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + length));
}
