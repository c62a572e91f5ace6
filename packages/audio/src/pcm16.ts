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

/** Between little-endian and the platform's own order, in place. Returns `bytes`. */
function ordered<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  if (!isLittleEndian) {
    for (let i = 0; i < bytes.length; i += 2) bytes.subarray(i, i + 2).reverse();
  }
  return bytes;
}

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
  return new Int16Array(ordered(new Uint8Array(bytes)).buffer);
}

/** 16-bit samples to little-endian bytes. The result is a copy. */
export function int16ToPcm16(samples: Int16Array): Uint8Array<ArrayBuffer> {
  return ordered(new Uint8Array(samples.slice().buffer));
}

/** Little-endian bytes to −1…1. Errors as `pcm16ToInt16`. */
export function pcm16ToFloat32(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return int16ToFloat32(pcm16ToInt16(bytes));
}

/** −1…1 to little-endian bytes, rounded and clipped as stated above. */
export function float32ToPcm16(samples: Float32Array): Uint8Array<ArrayBuffer> {
  return ordered(new Uint8Array(float32ToInt16(samples).buffer));
}

/** Little-endian PCM16 that arrives cut anywhere, also inside of a sample: the half sample waits for its other half. */
export class Pcm16Decoder {
  #half = new Uint8Array(0);

  /** 1 while the first half of a sample waits; at the end of a stream: half a sample was lost. */
  get pendingBytes(): number {
    return this.#half.length;
  }

  /** The whole samples that `bytes` completes, −1…1; may be none. Nothing of `bytes` is kept but a half sample. */
  push(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    const held = this.#half.length;
    const joined = new Uint8Array(held + bytes.length);
    joined.set(this.#half);
    joined.set(bytes, held);
    const end = joined.length & ~1;
    this.#half = joined.slice(end);
    return pcm16ToFloat32(joined.subarray(0, end));
  }
}
