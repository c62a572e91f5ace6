import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  float32ToInt16,
  float32ToPcm16,
  int16ToFloat32,
  int16ToPcm16,
  Pcm16Decoder,
  pcm16ToFloat32,
  pcm16ToInt16,
} from '../src/pcm16.js';

const everyInt16 = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
const isSame = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

describe('PCM16', () => {
  it('reads little-endian bytes', () => {
    const bytes = Uint8Array.of(0x00, 0x00, 0x01, 0x00, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x80);
    expect([...pcm16ToInt16(bytes)]).toEqual([0, 1, -1, 32_767, -32_768]);
    expect([...pcm16ToFloat32(bytes)]).toEqual([0, 1 / 32_768, -1 / 32_768, 32_767 / 32_768, -1]);
  });

  it('gives every 16-bit value back through floats and through bytes', () => {
    expect(isSame(float32ToInt16(int16ToFloat32(everyInt16)), everyInt16)).toBe(true);
    expect(isSame(pcm16ToInt16(int16ToPcm16(everyInt16)), everyInt16)).toBe(true);
    expect(isSame(float32ToPcm16(pcm16ToFloat32(int16ToPcm16(everyInt16))), everyInt16)).toBe(true);
  });

  it('rounds to the nearest, halves up, and clips', () => {
    const steps = [0.49, 0.5, 1.5, -0.5, -0.51, -1.5, 32_766.4, 32_767.4, 32_767.5, -32_768.5, -32_769];
    const floats = Float64Array.from(steps, (step) => step / 32_768);
    const rounded = [0, 1, 2, 0, -1, -1, 32_766, 32_767, 32_767, -32_768, -32_768];
    expect([...float32ToInt16(Float32Array.from(floats))]).toEqual(rounded);
    expect([...float32ToInt16(Float32Array.of(1, -1, 7, -7, 3e38))]).toEqual([
      32_767, -32_768, 32_767, -32_768, 32_767,
    ]);
  });

  it('takes NaN and infinities for silence', () => {
    expect([...float32ToInt16(Float32Array.of(Number.NaN, Infinity, -Infinity))]).toEqual([0, 0, 0]);
  });

  it('refuses half a sample', () => {
    for (const bytes of [new Uint8Array(1), new Uint8Array(7)]) {
      expect(() => pcm16ToInt16(bytes)).toThrow(expect.objectContaining({ code: 'odd_length' }));
      expect(() => pcm16ToFloat32(bytes)).toThrow(expect.objectContaining({ code: 'odd_length' }));
    }
  });

  it('reads bytes at an odd address and leaves no view of them', () => {
    const memory = Uint8Array.of(9, 1, 0, 2, 0);
    const samples = pcm16ToInt16(memory.subarray(1));
    const floats = pcm16ToFloat32(memory.subarray(1));
    memory.fill(0);
    expect([...samples]).toEqual([1, 2]);
    expect([...floats]).toEqual([1 / 32_768, 2 / 32_768]);
  });

  it('writes bytes that are independent of the samples', () => {
    const samples = Int16Array.of(1, 2);
    const bytes = int16ToPcm16(samples);
    samples.fill(9);
    expect([...bytes]).toEqual([1, 0, 2, 0]);
  });
});

describe('Pcm16Decoder', () => {
  it('gives the same samples however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(9)), (bytes, cuts) => {
        const decoder = new Pcm16Decoder();
        const samples: number[] = [];
        let offset = 0;
        for (const length of [...cuts, bytes.length]) {
          samples.push(...decoder.push(bytes.subarray(offset, offset + length)));
          offset += length;
        }
        expect(samples).toEqual([...pcm16ToFloat32(bytes.subarray(0, bytes.length & ~1))]);
        expect(decoder.pendingBytes).toBe(bytes.length % 2);
      }),
    );
  });
});
