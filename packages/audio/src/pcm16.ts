import { AudioError } from './errors.js';

/**
 * PCM16: signed 16-bit samples; on the wire little-endian (vLLM's Realtime dialect, WAV, telephony).
 *
 * To floats: divided by 32768, so −32768…32767 becomes −1…0.99997; every value is exact in 32 bits.
 * From floats: times 32768, rounded to the nearest (halves go up), clipped to −32768…32767; NaN and ±Infinity are 0.
 * Hence integers → floats → integers is the identity. No dither: a recogniser gains nothing from it.
 */
const SCALE = 32_768;

/** Engines of other byte orders exist; a typed-array view of little-endian bytes is only right on these. */
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function quantise(sample: number): number {
  // `sample - sample` is 0 for finite numbers alone.
  if (sample - sample !== 0) return 0;
  return Math.max(-SCALE, Math.min(SCALE - 1, Math.floor(sample * SCALE + 0.5)));
}

/** 16-bit samples to −1…1. The result is a copy. */
export function int16ToFloat32(samples: Int16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(samples.length);
  for (let i = 0; i < out.length; i++) out[i] = (samples[i] ?? 0) / SCALE;
  return out;
}

/** −1…1 to 16-bit samples, rounded and clipped as stated above. The result is a copy. */
export function float32ToInt16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < out.length; i++) out[i] = quantise(samples[i] ?? 0);
  return out;
}

/**
 * Little-endian bytes to 16-bit samples. The result is a copy, whatever the alignment of `bytes`.
 * Half a sample at the end → `AudioError` `odd_length` (for bytes cut anywhere use `Pcm16Decoder`).
 */
export function pcm16ToInt16(bytes: Uint8Array): Int16Array<ArrayBuffer> {
  if (bytes.length % 2 !== 0) {
    throw new AudioError('odd_length', '16-bit audio has an even number of bytes; send whole samples.');
  }
  const out = new Int16Array(bytes.length / 2);
  if (isLittleEndian) {
    new Uint8Array(out.buffer).set(bytes);
  } else {
    for (let i = 0; i < out.length; i++) out[i] = (bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8);
  }
  return out;
}

/** 16-bit samples to little-endian bytes. The result is a copy. */
export function int16ToPcm16(samples: Int16Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(samples.length * 2);
  if (isLittleEndian) {
    out.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  } else {
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i] ?? 0;
      out[2 * i] = value & 0xff;
      out[2 * i + 1] = (value >> 8) & 0xff;
    }
  }
  return out;
}

/** Little-endian bytes to −1…1. Errors as `pcm16ToInt16`. */
export function pcm16ToFloat32(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  if (isLittleEndian && bytes.length % 2 === 0 && bytes.byteOffset % 2 === 0) {
    return int16ToFloat32(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2));
  }
  return int16ToFloat32(pcm16ToInt16(bytes));
}

/** −1…1 to little-endian bytes, rounded and clipped as stated above. */
export function float32ToPcm16(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const values = float32ToInt16(samples);
  return isLittleEndian ? new Uint8Array(values.buffer) : int16ToPcm16(values);
}

/** Little-endian PCM16 that arrives cut anywhere, also inside of a sample: the half sample waits for its other half. */
export class Pcm16Decoder {
  #low: number | undefined;

  /** 1 while the first half of a sample waits; at the end of a stream: half a sample was lost. */
  get pendingBytes(): 0 | 1 {
    return this.#low === undefined ? 0 : 1;
  }

  /** The whole samples that `bytes` completes, −1…1; may be none. Nothing of `bytes` is kept but a half sample. */
  push(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    const low = this.#low;
    if (low === undefined && bytes.length % 2 === 0) return pcm16ToFloat32(bytes);
    const held = low === undefined ? 0 : 1;
    const whole = new Uint8Array((bytes.length + held) & ~1);
    if (low !== undefined && whole.length > 0) whole[0] = low;
    if (whole.length > 0) whole.set(bytes.subarray(0, whole.length - held), held);
    if (bytes.length > 0) this.#low = (bytes.length + held) % 2 === 1 ? bytes[bytes.length - 1] : undefined;
    return pcm16ToFloat32(whole);
  }
}
