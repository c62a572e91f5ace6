import { decodeALaw, decodeMuLaw } from './g711.js';
import { int16ToFloat32 } from './pcm16.js';

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
  | 'f16le'
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
  f16le: 2,
  f32le: 4,
  f32be: 4,
  f64le: 8,
  f64be: 8,
  mulaw: 1,
  alaw: 1,
};

/** Makes stored floats safe: NaN and ±Infinity are 0, beyond ±1 is clipped. */
function safe(sample: number): number {
  return sample - sample === 0 ? Math.max(-1, Math.min(1, sample)) : 0;
}

/**
 * Samples to floats, −1…1. `bytes` holds whole samples; a rest is dropped. A fresh array. `gain`: what each is multiplied with
 * before it is clipped, for samples that do not fill their range.
 */
export function decodeSamples(bytes: Uint8Array, encoding: PcmEncoding, gain = 1): Float32Array<ArrayBuffer> {
  const isFloat = encoding.startsWith('f');
  const samples = decodeAtFullRange(bytes, encoding, isFloat ? gain : 1);
  if (gain !== 1 && !isFloat)
    for (let i = 0; i < samples.length; i++) samples[i] = safe((samples[i] ?? 0) * gain);
  return samples;
}

function decodeAtFullRange(
  bytes: Uint8Array,
  encoding: PcmEncoding,
  gain: number,
): Float32Array<ArrayBuffer> {
  const little = encoding.endsWith('le');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(Math.floor(bytes.length / ENCODING_BYTES[encoding]));
  // A loop for each and not a function for each sample: that takes a third of the time.
  switch (encoding) {
    case 'u8':
      for (let i = 0; i < out.length; i++) out[i] = (view.getUint8(i) - 128) / 128;
      return out;
    case 's8':
      for (let i = 0; i < out.length; i++) out[i] = view.getInt8(i) / 128;
      return out;
    case 's16le':
    case 's16be':
      for (let i = 0; i < out.length; i++) out[i] = view.getInt16(2 * i, little) / 32_768;
      return out;
    case 's24le':
    case 's24be': {
      const high = little ? 2 : 0;
      for (let i = 0; i < out.length; i++) {
        const at = 3 * i;
        const value =
          (view.getInt8(at + high) << 16) | (view.getUint8(at + 1) << 8) | view.getUint8(at + 2 - high);
        out[i] = value / 8_388_608;
      }
      return out;
    }
    case 's32le':
    case 's32be':
      for (let i = 0; i < out.length; i++) out[i] = view.getInt32(4 * i, little) / 2_147_483_648;
      return out;
    case 'f16le':
      for (let i = 0; i < out.length; i++) out[i] = safe(gain * halfOf(view.getUint16(2 * i, true)));
      return out;
    case 'f32le':
    case 'f32be':
      for (let i = 0; i < out.length; i++) out[i] = safe(gain * view.getFloat32(4 * i, little));
      return out;
    case 'f64le':
    case 'f64be':
      for (let i = 0; i < out.length; i++) out[i] = safe(gain * view.getFloat64(8 * i, little));
      return out;
    case 'mulaw':
      return int16ToFloat32(decodeMuLaw(bytes));
    case 'alaw':
      return int16ToFloat32(decodeALaw(bytes));
    default:
      return encoding satisfies never;
  }
}

/** IEEE 754 of 16 bits: sign, five bits of exponent, ten of fraction. */
function halfOf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
