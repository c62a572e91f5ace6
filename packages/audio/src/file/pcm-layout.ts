import { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '../limits.js';
import { ENCODING_BYTES, type PcmEncoding } from '../pcm-samples.js';
import type { AudioFormat } from './format-table.js';

/** Where the plain samples of a file lie and how to read them. */
export interface PcmLayout {
  readonly encoding: PcmEncoding;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly dataOffset: number;
  /** undefined: up to the end of the file (a recorder that did not know the length). */
  readonly dataBytes: number | undefined;
}

/**
 * Reads the header of AIFF and AIFF-C, AU and CAF. Resolves to undefined where the header is not whole within `probe`,
 * makes no sense, or names a codec that is not plain samples: the next rung of the ladder may know it.
 */
export function pcmLayoutOf(format: AudioFormat, probe: Uint8Array): PcmLayout | undefined {
  const parse = PARSERS[format];
  if (parse === undefined) return undefined;
  try {
    const layout = parse(new DataView(probe.buffer, probe.byteOffset, probe.byteLength));
    return layout !== undefined && isSane(layout) ? layout : undefined;
  } catch (error) {
    // A header that ends too early reads beyond the view.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Bytes of one sample of every channel. */
export function frameBytesOf(layout: { readonly encoding: PcmEncoding; readonly channels: number }): number {
  return ENCODING_BYTES[layout.encoding] * layout.channels;
}

const PARSERS: Partial<Record<AudioFormat, (view: DataView) => PcmLayout | undefined>> = {
  aiff: aiffLayout,
  au: auLayout,
  caf: cafLayout,
};

function isSane({ channels, sampleRateHz }: PcmLayout): boolean {
  const rateFits = sampleRateHz >= SAMPLE_RATE_HZ_MIN && sampleRateHz <= SAMPLE_RATE_HZ_MAX;
  return Number.isInteger(sampleRateHz) && rateFits && channels >= 1 && channels <= CHANNELS_MAX;
}

const SIGNED_BE: Readonly<Record<number, PcmEncoding>> = { 1: 's8', 2: 's16be', 3: 's24be', 4: 's32be' };
const SIGNED_LE: Readonly<Record<number, PcmEncoding>> = { 1: 's8', 2: 's16le', 3: 's24le', 4: 's32le' };

const AIFC_ENCODING: Readonly<Record<string, PcmEncoding | Readonly<Record<number, PcmEncoding>>>> = {
  NONE: SIGNED_BE,
  twos: SIGNED_BE,
  sowt: SIGNED_LE,
  'raw ': 'u8',
  fl32: 'f32be',
  FL32: 'f32be',
  fl64: 'f64be',
  FL64: 'f64be',
  in24: 's24be',
  in32: 's32be',
  ulaw: 'mulaw',
  ULAW: 'mulaw',
  alaw: 'alaw',
  ALAW: 'alaw',
};

/** AIFF 1.3 and AIFF-C: FORM, then COMM and SSND among others; all big-endian, chunks padded to even. */
function aiffLayout(view: DataView): PcmLayout | undefined {
  let common: { channels: number; sampleRateHz: number; encoding: PcmEncoding } | undefined;
  for (let at = 12; ; ) {
    const id = fourCc(view, at);
    const chunkBytes = view.getUint32(at + 4);
    if (id === 'COMM') {
      const kind = fourCc(view, 8) === 'AIFC' ? fourCc(view, at + 26) : 'NONE';
      const row = AIFC_ENCODING[kind];
      const encoding = typeof row === 'object' ? row[(view.getInt16(at + 14) + 7) >> 3] : row;
      if (encoding === undefined) return undefined;
      common = { channels: view.getInt16(at + 8), sampleRateHz: extendedFloat(view, at + 16), encoding };
    }
    if (id === 'SSND') {
      if (common === undefined) return undefined;
      const offset = view.getUint32(at + 8);
      const dataBytes = chunkBytes <= 8 + offset ? undefined : chunkBytes - 8 - offset;
      return { ...common, dataOffset: at + 16 + offset, dataBytes };
    }
    at += 8 + chunkBytes + (chunkBytes & 1);
  }
}

/** The 80-bit float of AIFF: 15 bits of exponent, 64 of mantissa with its leading one. */
function extendedFloat(view: DataView, at: number): number {
  const exponent = (view.getUint16(at) & 0x7fff) - 16_383;
  return view.getUint32(at + 2) * 2 ** (exponent - 31) + view.getUint32(at + 6) * 2 ** (exponent - 63);
}

const AU_ENCODING: Readonly<Record<number, PcmEncoding>> = {
  1: 'mulaw',
  2: 's8',
  3: 's16be',
  4: 's24be',
  5: 's32be',
  6: 'f32be',
  7: 'f64be',
  27: 'alaw',
};

/** Sun/NeXT AU: six big-endian words. */
function auLayout(view: DataView): PcmLayout | undefined {
  const encoding = AU_ENCODING[view.getUint32(12)];
  const dataOffset = view.getUint32(4);
  if (encoding === undefined || dataOffset < 24) return undefined;
  const size = view.getUint32(8);
  const dataBytes = size === 0xffff_ffff ? undefined : size;
  return { encoding, sampleRateHz: view.getUint32(16), channels: view.getUint32(20), dataOffset, dataBytes };
}

/** Apple CAF: a `desc` chunk, then `data` among others; chunk sizes are 64 bits, −1 for "to the end". */
function cafLayout(view: DataView): PcmLayout | undefined {
  let format: { channels: number; sampleRateHz: number; encoding: PcmEncoding } | undefined;
  for (let at = 8; ; ) {
    const id = fourCc(view, at);
    const chunkBytes = Number(view.getBigInt64(at + 4));
    if (id === 'desc') {
      const channels = view.getUint32(at + 36);
      const encoding = cafEncoding(view, at + 12, view.getUint32(at + 28) / channels);
      if (encoding === undefined) return undefined;
      format = { channels, sampleRateHz: view.getFloat64(at + 12), encoding };
    }
    if (id === 'data') {
      if (format === undefined) return undefined;
      const dataBytes = chunkBytes < 4 ? undefined : chunkBytes - 4; // four bytes of edit count come first
      return { ...format, dataOffset: at + 16, dataBytes };
    }
    if (chunkBytes < 0) return undefined;
    at += 12 + chunkBytes;
  }
}

function cafEncoding(view: DataView, at: number, sampleBytes: number): PcmEncoding | undefined {
  const kind = fourCc(view, at + 8);
  if (kind === 'ulaw') return 'mulaw';
  if (kind === 'alaw') return 'alaw';
  if (kind !== 'lpcm') return undefined;
  const flags = view.getUint32(at + 12);
  const isLittleEndian = (flags & 2) !== 0;
  if ((flags & 1) === 0) return (isLittleEndian ? SIGNED_LE : SIGNED_BE)[sampleBytes];
  if (sampleBytes === 4) return isLittleEndian ? 'f32le' : 'f32be';
  return sampleBytes === 8 ? (isLittleEndian ? 'f64le' : 'f64be') : undefined;
}

function fourCc(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  );
}
