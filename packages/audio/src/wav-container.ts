import { AudioError } from './errors.js';

/** `wav`: RIFF, little-endian. `rifx`: the same, big-endian. `rf64`: with 64-bit sizes (also BW64). `w64`: Sony Wave64. */
export type WavContainer = 'wav' | 'rifx' | 'rf64' | 'w64';

/** The first bytes of a WAV file, read. */
export interface WavHead {
  /** How many bytes this head has: more than were given → ask again with so many. */
  readonly neededBytes: number;
  readonly container: WavContainer;
  /** Where the file ends by its own word; Infinity when it does not say. */
  readonly endPosition: number;
}

/** Bytes of a head but for Wave64, whose is longer. */
export const WAV_HEAD_BYTES = 12;
const W64_HEAD_BYTES = 40;

/** Size of a writer that cannot go back and fill it in. */
export const SIZE_OPEN = 0xffff_ffff;

const CONTAINERS: ReadonlyMap<string, WavContainer> = new Map([
  ['RIFF', 'wav'],
  ['RIFX', 'rifx'],
  ['RF64', 'rf64'],
  ['BW64', 'rf64'],
]);

/** For bytes that are no WAV file. */
export function notWav(): AudioError {
  return new AudioError('not_audio', 'This is not a WAV file.');
}

/** Reads the first WAV_HEAD_BYTES bytes of a file. No WAV → `AudioError` `not_audio`. */
export function readWavHead(view: DataView): WavHead {
  const id = readId(view, 0);
  const container = CONTAINERS.get(id);
  if (container !== undefined && readId(view, 8) === 'WAVE') {
    const endPosition = endOf(view.getUint32(4, container !== 'rifx')) + 8;
    return { neededBytes: WAV_HEAD_BYTES, container, endPosition };
  }
  // Wave64: names are GUIDs that begin with four letters, sizes have 64 bits and count their own header.
  if (id !== 'riff' || view.getUint32(4) !== 0x2e91cf11) throw notWav();
  if (view.byteLength < W64_HEAD_BYTES) {
    return { neededBytes: W64_HEAD_BYTES, container: 'w64', endPosition: Number.POSITIVE_INFINITY };
  }
  if (readId(view, 24) !== 'wave') throw notWav();
  return { neededBytes: W64_HEAD_BYTES, container: 'w64', endPosition: endOf(readSize64(view, 16)) };
}

/** Four letters. */
export function readId(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(offset + i)));
}

/** A 64-bit size; beyond the exact integers (2^53) it stands for "open": Infinity. */
export function readSize64(view: DataView, offset: number): number {
  const size = view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
  return size > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : size;
}

/** The stated size of a file; Infinity when its writer left it open. */
export function endOf(size: number): number {
  return size === 0 || size === SIZE_OPEN ? Number.POSITIVE_INFINITY : size;
}

/** Chunks that writers put behind the sound; others count where they lie within the file's stated size. */
const CHUNKS: ReadonlySet<string> = new Set([
  ...['data', 'fmt ', 'ds64', 'LIST', 'fact', 'cue ', 'plst', 'labl', 'note', 'ltxt', 'smpl', 'inst', 'bext'],
  ...['iXML', 'axml', 'aXML', 'chna', 'cart', 'levl', 'link', 'PEAK', 'id3 ', 'ID3 ', 'JUNK', 'junk', 'PAD '],
  ...['FLLR', 'DISP', 'acid', 'strc', 'afsp', 'minf', 'elm1', 'regn', 'umid', 'DGDA', '_PMX', 'qlty', 'mext'],
  ...['dbmd', 'ubxt', 'SNDM', 'wavl', 'slnt', 'r64m', 'LGWV', 'AFAn', 'PVOC', 'tlst'],
]);

/** The name of a chunk that is known to stand behind sound. */
export function isKnownChunk(id: string): boolean {
  return CHUNKS.has(id);
}

/** The name with which another file begins. */
export function beginsWav(id: string): boolean {
  return CONTAINERS.has(id) || id === 'riff';
}

/** Finds where another WAV file begins among bytes that come in pieces. Wave64 is not looked for. */
export class WavSearch {
  /** The end of the last piece, where a head may have begun. */
  #last = new Uint8Array(0);

  /** Where in the piece a file begins; below 0: so many bytes before it; undefined: nowhere. */
  find(piece: Uint8Array): number | undefined {
    const seam = new Uint8Array([...this.#last, ...piece.subarray(0, WAV_HEAD_BYTES - 1)]);
    const across = headIn(seam);
    if (across !== undefined) return across - this.#last.length;
    this.#last = (piece.length < WAV_HEAD_BYTES ? seam : piece).slice(1 - WAV_HEAD_BYTES);
    return headIn(piece);
  }

  /** The bytes before the piece that was searched last, when a file begins in them. */
  before(bytes: number): Uint8Array {
    return this.#last.slice(this.#last.length - bytes);
  }

  /** Bytes that are not searched come between. */
  reset(): void {
    this.#last = new Uint8Array(0);
  }
}

function headIn(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.indexOf(WAVE_LETTER, 8); at >= 0; at = bytes.indexOf(WAVE_LETTER, at + 1)) {
    if (at + 4 > bytes.length) return undefined;
    if (readId(view, at) === 'WAVE' && CONTAINERS.has(readId(view, at - 8))) return at - 8;
  }
  return undefined;
}

const WAVE_LETTER = 'W'.charCodeAt(0);
