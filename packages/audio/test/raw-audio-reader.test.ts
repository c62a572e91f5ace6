import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioError, encodeMuLaw, int16ToPcm16, pcm16ToInt16, RawAudioReader } from '../src/index.js';

const ENCODINGS = ['s16le', 's32le', 'f16le', 'f32le', 'mulaw', 'alaw'] as const;

function joined(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

describe('a reader of raw audio', () => {
  it('gives the same however the bytes are cut, each channel for itself', () => {
    const audio = fc.uint8Array({ minLength: 64, maxLength: 4_000 });
    const cuts = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 30 });
    const layout = fc.record({
      encoding: fc.constantFrom(...ENCODINGS),
      sampleRateHz: fc.constantFrom(8_000, 16_000, 24_000, 44_100),
      channels: fc.constantFrom(1, 2, 3),
    });
    fc.assert(
      fc.property(audio, cuts, layout, (bytes, lengths, options) => {
        const whole = new RawAudioReader(options).push(bytes);
        const reader = new RawAudioReader(options);
        const parts: Uint8Array[][] = [];
        let at = 0;
        for (const length of [...lengths, bytes.length]) {
          parts.push(reader.push(bytes.subarray(at, at + length)));
          at = Math.min(bytes.length, at + length);
        }
        expect(whole).toHaveLength(options.channels);
        for (const [channel, expected] of whole.entries()) {
          expect(joined(parts.map((part) => part[channel] ?? new Uint8Array(0)))).toEqual(joined([expected]));
        }
      }),
    );
  });

  it('leaves speech as it is, and owns what it gives', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    const reader = new RawAudioReader({ encoding: 's16le', sampleRateHz: 16_000 });
    const [first] = reader.push(bytes);
    bytes.fill(0);
    expect(first).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(reader.push(Uint8Array.of(6))).toEqual([Uint8Array.of(5, 6)]);
  });

  it('reads every encoding to the same sound', () => {
    const tone = Float32Array.from({ length: 1_600 }, (_, at) => 0.5 * Math.sin(at / 10));
    const ints = Int16Array.from(tone, (sample) => Math.round(sample * 32_767));
    const halves = new Uint16Array(tone.length);
    for (const [at, sample] of tone.entries()) halves[at] = halfBits(sample);
    const bytes = {
      s16le: int16ToPcm16(ints),
      s32le: new Uint8Array(Int32Array.from(tone, (sample) => Math.round(sample * 2 ** 31)).buffer),
      f16le: new Uint8Array(halves.buffer),
      f32le: new Uint8Array(tone.buffer),
      mulaw: encodeMuLaw(ints),
    };
    for (const [encoding, coded] of Object.entries(bytes)) {
      const reader = new RawAudioReader({ encoding: encoding as keyof typeof bytes, sampleRateHz: 16_000 });
      const heard = pcm16ToInt16(reader.push(coded)[0] ?? new Uint8Array(0));
      const worst = Math.max(...heard.map((sample, at) => Math.abs(sample - (ints[at] ?? 0))));
      expect(heard.length, encoding).toBeGreaterThan(1_500);
      expect(worst, encoding).toBeLessThan(600);
    }
  });

  it.each([
    { sampleRateHz: 16_000, channels: 0 },
    { sampleRateHz: 16_000, channels: 1.5 },
    { sampleRateHz: 1, channels: 1 },
    { sampleRateHz: Number.NaN, channels: 1 },
  ])('refuses $channels channels at $sampleRateHz Hz', (options) => {
    expect(() => new RawAudioReader({ encoding: 'mulaw', ...options })).toThrow(AudioError);
  });
});

/** Of a number that is no subnormal, rounded down. */
function halfBits(value: number): number {
  if (Math.abs(value) < 2 ** -14) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.floor((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
