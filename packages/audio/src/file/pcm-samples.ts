import { decodeALaw, decodeMuLaw } from '../g711.js';
import { int16ToFloat32 } from '../pcm16.js';

/** How one sample is stored: sign, bits, byte order; or companded. */
export type PcmEncoding =
  | 'u8'
  | 's8'
  | 's16le'
  | 's16be'
  | 's24le'
  | 's24be'
  | 's32le'
  | 's32be'
  | 'f32le'
  | 'f32be'
  | 'f64le'
  | 'f64be'
  | 'mulaw'
  | 'alaw';

/** Bytes of one sample. */
export const ENCODING_BYTES: Readonly<Record<PcmEncoding, number>> = {
  u8: 1,
  s8: 1,
  s16le: 2,
  s16be: 2,
  s24le: 3,
  s24be: 3,
  s32le: 4,
  s32be: 4,
  f32le: 4,
  f32be: 4,
  f64le: 8,
  f64be: 8,
  mulaw: 1,
  alaw: 1,
};

/** One sample at a byte offset, to −1…1. */
type ReadSample = (view: DataView, at: number) => number;

const READERS: Readonly<Record<Exclude<PcmEncoding, 'mulaw' | 'alaw'>, ReadSample>> = {
  u8: (view, at) => (view.getUint8(at) - 128) / 128,
  s8: (view, at) => view.getInt8(at) / 128,
  s16le: (view, at) => view.getInt16(at, true) / 32_768,
  s16be: (view, at) => view.getInt16(at, false) / 32_768,
  s24le: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65_536) / 8_388_608,
  s24be: (view, at) => (view.getUint16(at + 1, false) + view.getInt8(at) * 65_536) / 8_388_608,
  s32le: (view, at) => view.getInt32(at, true) / 2_147_483_648,
  s32be: (view, at) => view.getInt32(at, false) / 2_147_483_648,
  f32le: (view, at) => view.getFloat32(at, true),
  f32be: (view, at) => view.getFloat32(at, false),
  f64le: (view, at) => view.getFloat64(at, true),
  f64be: (view, at) => view.getFloat64(at, false),
};

/** Samples to floats, −1…1 (floats as stored). `bytes` holds whole samples; a rest is dropped. A fresh array. */
export function decodeSamples(bytes: Uint8Array, encoding: PcmEncoding): Float32Array {
  if (encoding === 'mulaw') return int16ToFloat32(decodeMuLaw(bytes));
  if (encoding === 'alaw') return int16ToFloat32(decodeALaw(bytes));
  const read = READERS[encoding];
  const width = ENCODING_BYTES[encoding];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array(Math.floor(bytes.length / width));
  for (let index = 0; index < floats.length; index += 1) floats[index] = read(view, index * width);
  return floats;
}
