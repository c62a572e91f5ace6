import { describe, expect, it } from 'vitest';
import { Downmixer } from '../src/downmix.js';
import { resample } from '../src/resampler.js';
import { SpeechConverter } from '../src/speech-converter.js';

const stereo = Float32Array.from({ length: 9_600 }, (_, i) => Math.sin(i * i * 1e-4));

function convert(converter: SpeechConverter, input: Float32Array, pieceSamples: number): number[] {
  const out: number[] = [];
  for (let offset = 0; offset < input.length; offset += pieceSamples) {
    out.push(...converter.push(input.subarray(offset, offset + pieceSamples)));
  }
  return [...out, ...converter.finish()];
}

describe('SpeechConverter', () => {
  it('mixes down, then resamples, the same however the input is cut', () => {
    const mono = new Downmixer({ channels: 2, sampleRateHz: 48_000 }).push(stereo);
    const expected = [...resample(mono, { inputRateHz: 48_000, outputRateHz: 16_000 })];
    expect(expected.length).toBe(1_600);
    for (const pieceSamples of [1_001, 256, stereo.length]) {
      expect(
        convert(new SpeechConverter({ sampleRateHz: 48_000, channels: 2 }), stereo, pieceSamples),
      ).toEqual(expected);
    }
  });

  it('takes mono at another rate of output', () => {
    const converter = new SpeechConverter({ sampleRateHz: 16_000, outputRateHz: 24_000 });
    const expected = [...resample(stereo, { inputRateHz: 16_000, outputRateHz: 24_000 })];
    expect(convert(converter, stereo, 320)).toEqual(expected);
  });

  it('refuses rates and channel counts that are none', () => {
    const refused = expect.objectContaining({ code: 'invalid_argument' });
    expect(() => new SpeechConverter({ sampleRateHz: 0 })).toThrow(refused);
    expect(() => new SpeechConverter({ sampleRateHz: 8_000, channels: 0 })).toThrow(refused);
  });
});
