import type { AudioFormat } from './format-table.js';
import {
  ac3FrameAt,
  adtsFrameAt,
  countFrames,
  isLatmBeginning,
  loasFrameAt,
  mpegFrameAt,
} from './frame-sync.js';
import { PROBE_ID3_BYTES_MAX } from './limits.js';
import { oggCodecOf } from './ogg-codec.js';
import { sniffInside } from './sniff-inside.js';

/** Why bytes are no audio file: what they seem to be instead. */
export type NotAudio = 'empty' | 'text' | 'playlist' | 'picture' | 'document' | 'unknown';

/** What the beginning of a file tells. */
export type Sniffed =
  | {
      readonly kind: 'audio';
      readonly format: AudioFormat;
      /** Tags that stand before the format; its own mark comes behind them. */
      readonly tagBytes: number;
      /** Bytes of no known kind before it, behind the tags. */
      readonly junkBytes: number;
    }
  | { readonly kind: 'not-audio'; readonly looksLike: NotAudio };

/** Marks at a fixed place, `at` 0 where it is not given. Order matters only within one first byte. */
const MARKS: readonly { readonly mark: string; readonly at?: number; readonly is: AudioFormat | NotAudio }[] =
  [
    { mark: 'fLaC', is: 'flac' },
    { mark: '.snd', is: 'au' },
    { mark: 'caff', is: 'caf' },
    { mark: 'NIST_1A', is: 'sphere' },
    { mark: 'riff\x2e\x91\xcf\x11', is: 'w64' },
    { mark: '\x1a\x45\xdf\xa3', is: 'matroska' },
    { mark: '#!AMR', is: 'amr' },
    { mark: '\x30\x26\xb2\x75\x8e\x66\xcf\x11', is: 'asf' },
    { mark: 'FLV\x01', is: 'flv' },
    { mark: '\x00\x00\x01\xba', is: 'mpeg-ps' },
    { mark: '.RMF', is: 'realmedia' },
    { mark: 'wvpk', is: 'wavpack' },
    { mark: 'TTA1', is: 'tta' },
    { mark: 'MAC ', is: 'monkeys-audio' },
    { mark: 'MPCK', is: 'musepack-8' },
    { mark: 'MP+', is: 'musepack' },
    { mark: 'ajkg', is: 'shorten' },
    { mark: 'Creative Voice File\x1a', is: 'voc' },
    { mark: 'DSD ', is: 'dsf' },
    { mark: '\x7f\xfe\x80\x01', is: 'dts' },
    { mark: '#EXTM3U', is: 'playlist' },
    { mark: 'ffconcat', is: 'playlist' },
    { mark: '[playlist]', is: 'playlist' },
    { mark: '\x89PNG', is: 'picture' },
    { mark: '\xff\xd8\xff', is: 'picture' },
    { mark: 'GIF8', is: 'picture' },
    { mark: 'II*\x00', is: 'picture' },
    { mark: 'MM\x00*', is: 'picture' },
    { mark: 'PK\x03\x04', is: 'document' },
    { mark: '%PDF', is: 'document' },
    { mark: '\x1f\x8b', is: 'document' },
    { mark: '7z\xbc\xaf', is: 'document' },
    { mark: 'Rar!', is: 'document' },
    { mark: '\x7fELF', is: 'document' },
    { mark: 'MZ', is: 'document' },
  ];
const NOT_AUDIO: ReadonlySet<string> = new Set([
  'empty',
  'text',
  'playlist',
  'picture',
  'document',
  'unknown',
]);

/**
 * Finds out what a file is from its first bytes, never from its name.
 * `whole`: the bytes are the entire file, so a short one may be judged from less.
 */
export function sniff(bytes: Uint8Array, whole: boolean): Sniffed {
  if (bytes.length === 0) return { kind: 'not-audio', looksLike: 'empty' };
  const tagBytes = id3Bytes(bytes);
  if (tagBytes > 0) return behindTags(bytes.subarray(tagBytes), tagBytes);
  const marked = byContainer(bytes) ?? byMark(bytes) ?? byBoxes(bytes) ?? byFrames(bytes, whole);
  if (marked !== undefined) return marked;
  return { kind: 'not-audio', looksLike: bytes.length > 3 && isText(bytes) ? 'text' : 'unknown' };
}

/** Any format may stand behind tags. Where none is known there, the tag may lie about its length: MP3, whose decoders look for frames. */
function behindTags(rest: Uint8Array, tagBytes: number): Sniffed {
  const inside =
    rest.length < 8
      ? undefined
      : (byContainer(rest) ?? byMark(rest) ?? byBoxes(rest) ?? byFrames(rest, false));
  return inside?.kind === 'audio' ? { ...inside, tagBytes } : audio('mp3');
}

/** Bytes that have to be seen to judge a file that begins like this one; more than `bytes` for a large ID3 tag. */
export function probeBytesWanted(bytes: Uint8Array): number {
  const tagBytes = id3Bytes(bytes);
  return tagBytes === 0 ? 0 : Math.min(tagBytes + 8 * 1024, PROBE_ID3_BYTES_MAX);
}

function audio(format: AudioFormat): Sniffed {
  return { kind: 'audio', format, tagBytes: 0, junkBytes: 0 };
}

/** RIFF, FORM and Ogg: the first word is not enough. */
function byContainer(bytes: Uint8Array): Sniffed | undefined {
  const word = text(bytes, 0, 4);
  const form = text(bytes, 8, 12);
  if (word === 'RIFF' || word === 'RIFX' || word === 'RF64' || word === 'BW64') {
    if (form === 'WAVE') return audio('wav');
    if (form === 'AVI ') return audio('avi');
    return { kind: 'not-audio', looksLike: form === 'WEBP' ? 'picture' : 'unknown' };
  }
  if (word === 'FORM' && (form === 'AIFF' || form === 'AIFC')) return audio('aiff');
  if (word === 'OggS') return audio(oggCodecOf(bytes.subarray(27 + (bytes[26] ?? 0))));
  return undefined;
}

function byMark(bytes: Uint8Array): Sniffed | undefined {
  for (const { mark, at = 0, is } of MARKS) {
    if (text(bytes, at, at + mark.length) !== mark) continue;
    return NOT_AUDIO.has(is) ? { kind: 'not-audio', looksLike: is as NotAudio } : audio(is as AudioFormat);
  }
  return undefined;
}

/** Boxes that only MP4 and its kin have, at their top. */
const MP4_BOXES: ReadonlySet<string> = new Set(['ftyp', 'moov', 'mdat', 'moof', 'wide', 'styp', 'sidx']);
/** Those that say nothing of what follows. */
const FILLING_BOXES: ReadonlySet<string> = new Set(['free', 'skip', 'uuid', 'pnot', 'PICT', 'pdin']);
const BOXES_MAX = 16;

/** MP4 may begin with any box; one that is none of its own must lead to one that is, or be filling that goes beyond `bytes`. */
function byBoxes(bytes: Uint8Array): Sniffed | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let isFilling = false;
  let at = 0;
  for (let count = 0; count < BOXES_MAX && at + 8 <= bytes.length; count += 1) {
    const kind = text(bytes, at + 4, at + 8);
    if (MP4_BOXES.has(kind)) return audio('mp4');
    const isLong = view.getUint32(at) === 1 && at + 16 <= bytes.length;
    const boxBytes = isLong ? Number(view.getBigUint64(at + 8)) : view.getUint32(at);
    if (boxBytes < 8 || !/^[ -~\xa9]{4}$/.test(kind)) return undefined;
    isFilling = FILLING_BOXES.has(kind) && bytes[at] === 0;
    at += boxBytes;
  }
  return isFilling && at > bytes.length ? audio('mp4') : undefined;
}

/** Formats without a mark of their own: a chain of frames tells them. */
function byFrames(bytes: Uint8Array, whole: boolean): Sniffed | undefined {
  const wanted = whole && bytes.length < 8 * 1024 ? 2 : 3;
  if (countFrames(bytes, 0, wanted, adtsFrameAt) === wanted) return audio('aac');
  if (countFrames(bytes, 0, wanted, mpegFrameAt) === wanted) return audio('mp3');
  if (countFrames(bytes, 0, wanted, ac3FrameAt) === wanted) return audio('ac3');
  if (isLatmBeginning(bytes, 0) && countFrames(bytes, 0, 2, loasFrameAt) === 2) return audio('latm');
  for (const [first, step] of [
    [0, 188],
    [4, 192],
  ] as const) {
    if ([0, 1, 2, 3].every((index) => bytes[first + index * step] === 0x47)) return audio('mpeg-ts');
  }
  if (isText(bytes)) return undefined;
  const inside = sniffInside(bytes);
  return inside === undefined ? undefined : { kind: 'audio', tagBytes: 0, ...inside };
}

/** Length of the ID3v2 tags at the beginning with their headers, 0 where there is none; id3.org 2.4.0 section 3.1. */
export function id3Bytes(bytes: Uint8Array): number {
  let at = 0;
  while (text(bytes, at, at + 3) === 'ID3' && at + 10 <= bytes.length) {
    const [b6 = 0, b7 = 0, b8 = 0, b9 = 0] = bytes.subarray(at + 6, at + 10);
    at += 10 + ((b6 & 127) << 21) + ((b7 & 127) << 14) + ((b8 & 127) << 7) + (b9 & 127);
  }
  return at;
}

/** True for bytes that read as ASCII or UTF-8 text: HTML, JSON, subtitles, a log. */
function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 512);
  let letters = 0;
  for (const byte of head) {
    if (byte < 9 || (byte > 13 && byte < 32) || byte === 127) return false;
    if (byte < 127) letters += 1;
  }
  return letters >= head.length * 0.7;
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
