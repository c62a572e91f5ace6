import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '../src/g711.js';
import { float32ToInt16, int16ToFloat32 } from '../src/pcm16.js';
import { WavDecoder } from '../src/wav-decoder.js';
import { encodeWav, type WavWriteEncoding, wavHeader } from '../src/wav-encoder.js';

const { WaveFile }: typeof import('wavefile') = createRequire(import.meta.url)('wavefile');

/** What is left of a sample that was written. */
const stored: Record<WavWriteEncoding, (samples: Float32Array) => Float32Array> = {
  s16le: (samples) => int16ToFloat32(float32ToInt16(samples)),
  f32le: (samples) => samples,
  mulaw: (samples) => int16ToFloat32(decodeMuLaw(encodeMuLaw(float32ToInt16(samples)))),
  alaw: (samples) => int16ToFloat32(decodeALaw(encodeALaw(float32ToInt16(samples)))),
};
const encodings: WavWriteEncoding[] = ['s16le', 'f32le', 'mulaw', 'alaw'];
const sample = fc.integer({ min: -1_000, max: 1_000 }).map((value) => Math.fround(value / 1_000));

describe('encodeWav', () => {
  it.each(encodings)('writes %s that its own decoder gives back', (encoding) => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (values, channels) => {
        const samples = Float32Array.from(values.slice(0, values.length - (values.length % channels)));
        const decoder = new WavDecoder();
        const decoded = decoder.push(encodeWav(samples, { sampleRateHz: 8_000, channels, encoding }));
        expect([...decoded]).toEqual([...stored[encoding](samples)]);
        const expected = { format: { sampleRateHz: 8_000, channels, encoding }, isTruncated: false };
        expect(decoder.finish()).toMatchObject(expected);
      }),
    );
  });

  it.each(encodings)('writes %s that another reader understands', (encoding) => {
    const samples = Float32Array.from({ length: 101 }, (_, i) => Math.sin(i / 5));
    const other = new WaveFile(encodeWav(samples, { sampleRateHz: 22_050, encoding }));
    expect(other.fmt).toMatchObject({ numChannels: 1, sampleRate: 22_050 });
    if (encoding === 'mulaw') other.fromMuLaw('16');
    if (encoding === 'alaw') other.fromALaw('16');
    const scale = encoding === 'f32le' ? 1 : 32_768;
    const read = Array.from(other.getSamples(), (value) => Number(value) / scale);
    // That reader also takes the pad byte of an odd length for a sample.
    expect(read.slice(0, samples.length)).toEqual([...stored[encoding](samples)]);
  });
});

describe('wavHeader', () => {
  it('states what canonical files state, byte for byte', () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    const format = '57415645666d74201000000001000100803e0000007d000002001000';
    expect(hex(wavHeader({ sampleRateHz: 16_000 }, 4))).toBe(`5249464628000000${format}6461746104000000`);
    // The pad byte behind an odd number of bytes counts for the file and not for its chunk.
    const file = encodeWav(Float32Array.of(0), { sampleRateHz: 8_000, encoding: 'mulaw' });
    const parts = ['524946463400000057415645', '666d7420120000000700010040' + '1f0000401f0000010008000000'];
    expect(hex(file)).toBe(`${parts.join('')}666163740400000001000000${'6461746101000000ff00'}`);
  });

  it('leaves the sizes open when the length is not known', () => {
    for (const encoding of encodings) {
      const decoder = new WavDecoder();
      decoder.push(wavHeader({ sampleRateHz: 16_000, encoding }));
      decoder.push(new Uint8Array(80));
      expect(decoder.finish()).toMatchObject({ isTruncated: false });
      expect(decoder.promisedFrames).toBeUndefined();
    }
  });

  it('refuses what a header cannot state', () => {
    const refused = expect.objectContaining({ code: 'invalid_argument' });
    for (const sampleRateHz of [0, 999, 8_000.5, 768_001])
      expect(() => wavHeader({ sampleRateHz })).toThrow(refused);
    for (const channels of [0, 65, 1.5])
      expect(() => wavHeader({ sampleRateHz: 8_000, channels })).toThrow(refused);
    for (const bytes of [-1, 0xffffffff])
      expect(() => wavHeader({ sampleRateHz: 8_000 }, bytes)).toThrow(refused);
  });
});
