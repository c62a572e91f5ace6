import { decodeALaw, decodeMuLaw } from './g711.js';
import { int16ToFloat32 } from './pcm16.js';
import type { WavFormat } from './wav-format.js';

/** Makes stored floats safe: NaN and ±Infinity are 0, beyond ±1 is clipped. */
function safe(sample: number): number {
  return sample - sample === 0 ? Math.max(-1, Math.min(1, sample)) : 0;
}

/** Whole frames to interleaved samples, −1…1. A fresh array. */
export function decodeWavSamples(bytes: Uint8Array, format: WavFormat): Float32Array<ArrayBuffer> {
  const little = format.container !== 'rifx';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array((bytes.length / format.frameBytes) * format.channels);
  switch (format.encoding) {
    case 'u8':
      for (let i = 0; i < out.length; i++) out[i] = (view.getUint8(i) - 128) / 128;
      return out;
    case 's16':
      for (let i = 0; i < out.length; i++) out[i] = view.getInt16(2 * i, little) / 32_768;
      return out;
    case 's24': {
      const high = little ? 2 : 0;
      for (let i = 0; i < out.length; i++) {
        const at = 3 * i;
        const value =
          (view.getInt8(at + high) << 16) | (view.getUint8(at + 1) << 8) | view.getUint8(at + 2 - high);
        out[i] = value / 8_388_608;
      }
      return out;
    }
    case 's32':
      for (let i = 0; i < out.length; i++) out[i] = view.getInt32(4 * i, little) / 2_147_483_648;
      return out;
    case 'f32':
      for (let i = 0; i < out.length; i++) out[i] = safe(view.getFloat32(4 * i, little));
      return out;
    case 'f64':
      for (let i = 0; i < out.length; i++) out[i] = safe(view.getFloat64(8 * i, little));
      return out;
    case 'mulaw':
      return int16ToFloat32(decodeMuLaw(bytes));
    case 'alaw':
      return int16ToFloat32(decodeALaw(bytes));
    default:
      return format.encoding satisfies never;
  }
}
