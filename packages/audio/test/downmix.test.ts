import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Downmixer } from '../src/downmix.js';
import { measureLevel } from '../src/level.js';

const RATE_HZ = 16_000;
const tone = (length: number, hz = 300) =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / RATE_HZ));
const interleave = (...channels: Float32Array[]) =>
  Float32Array.from({ length: channels.length * (channels[0]?.length ?? 0) }, (_, i) => {
    return channels[i % channels.length]?.[Math.floor(i / channels.length)] ?? 0;
  });
const mix = (...channels: Float32Array[]) =>
  new Downmixer({ channels: channels.length, sampleRateHz: RATE_HZ }).push(interleave(...channels));
const levelFrom = (samples: Float32Array, fromFrame: number) =>
  measureLevel(samples.subarray(fromFrame)).rmsDbfs;
const largestStep = (samples: Float32Array) =>
  samples.reduce(
    (largest, sample, i) => Math.max(largest, i === 0 ? 0 : Math.abs(sample - (samples[i - 1] ?? 0))),
    0,
  );

const voice = tone(8_000);
const silence = new Float32Array(8_000);
const inverted = voice.map((sample) => -sample);

describe('Downmixer', () => {
  it('averages', () => {
    expect([...mix(Float32Array.of(1, 0.5), Float32Array.of(0, 0.25))]).toEqual([0.5, 0.375]);
    expect([...mix(voice)]).toEqual([...voice]);
    expect([...mix(voice, voice)]).toEqual([...voice]);
  });

  it('keeps the average when one of two channels is silent', () => {
    expect([...mix(voice, silence)]).toEqual([...voice.map((sample) => sample / 2)]);
  });

  it('takes one channel when two cancel each other, within 20 ms and without a click', () => {
    const out = mix(voice, inverted);
    expect([...out.subarray(320)]).toEqual([...voice.subarray(320)]);
    expect(largestStep(out)).toBeLessThanOrEqual(1.05 * largestStep(voice));
  });

  it('takes the louder of two that nearly cancel each other', () => {
    const louder = inverted.map((sample) => 1.2 * sample);
    expect([...mix(voice, louder).subarray(320)]).toEqual([...louder.subarray(320)]);
  });

  it('takes the one that speaks among six', () => {
    expect([...mix(silence, silence, voice, silence, silence, silence).subarray(320)]).toEqual([
      ...voice.subarray(320),
    ]);
  });

  it('averages two different speakers', () => {
    const out = mix(voice, tone(8_000, 470));
    expect(levelFrom(out, 0)).toBeCloseTo(levelFrom(voice, 0) - 3, 0);
  });

  it('goes back to the average when the channels no longer cancel each other', () => {
    const left = tone(16_000);
    const right = left.map((sample, i) => (i < 8_000 ? -sample : sample / 2));
    const out = mix(left, right);
    expect([...out.subarray(320, 8_000)]).toEqual([...left.subarray(320, 8_000)]);
    expect([...out.subarray(10_000)]).toEqual([...left.subarray(10_000).map((sample) => 0.75 * sample)]);
    expect(largestStep(out)).toBeLessThanOrEqual(1.05 * largestStep(left));
  });

  it('between lost and back stays with what it has, be it the average or a channel', () => {
    // 10.5 dB below the louder channel.
    const between = voice.map((sample) => -0.4 * sample);
    const average = mix(voice, between);
    expect(levelFrom(average, 320)).toBeCloseTo(levelFrom(voice, 320) + 20 * Math.log10(0.3), 1);
    const left = tone(16_000);
    const right = left.map((sample, i) => (i < 8_000 ? -sample : -0.4 * sample));
    expect([...mix(left, right).subarray(320)]).toEqual([...left.subarray(320)]);
  });

  it('stays with a channel until another is 3 dB louder', () => {
    const left = tone(24_000);
    const louder = (frame: number): number => (frame < 8_000 ? 0.9 : frame < 16_000 ? 1.3 : 1.5);
    const right = left.map((sample, i) => -louder(i) * sample);
    const out = mix(left, right);
    expect([...out.subarray(320, 16_000)]).toEqual([...left.subarray(320, 16_000)]);
    expect([...out.subarray(20_000)]).toEqual([...right.subarray(20_000)]);
  });

  it('follows a speaker who moves from one of many channels to another', () => {
    const first = voice.map((sample, i) => (i < 4_000 ? sample : 0));
    const second = voice.map((sample, i) => (i < 4_000 ? 0 : sample));
    const out = mix(first, silence, silence, silence, second);
    expect([...out.subarray(6_000)]).toEqual([...voice.subarray(6_000)]);
  });

  it('takes NaN and infinities for silence', () => {
    const broken = Float32Array.of(Number.NaN, Infinity, -Infinity, 0.5);
    expect([...mix(broken, Float32Array.of(0.5, 0.5, 0.5, 0.5))]).toEqual([0.25, 0.25, 0.25, 0.5]);
  });

  it('gives the same bits however the input is cut, also inside of a frame', () => {
    const input = interleave(voice, inverted, tone(8_000, 500)).subarray(0, 3_001);
    const whole = [...new Downmixer({ channels: 3, sampleRateHz: RATE_HZ }).push(input)];
    fc.assert(
      fc.property(fc.array(fc.nat(700)), (cuts) => {
        const downmixer = new Downmixer({ channels: 3, sampleRateHz: RATE_HZ });
        const out: number[] = [];
        let offset = 0;
        for (const length of [...cuts, input.length]) {
          out.push(...downmixer.push(input.subarray(offset, offset + length)));
          offset += length;
        }
        expect(out).toEqual(whole);
      }),
    );
  });

  it('refuses channel counts and rates that are none', () => {
    const refused = expect.objectContaining({ code: 'invalid_argument' });
    for (const channels of [0, 65, 1.5])
      expect(() => new Downmixer({ channels, sampleRateHz: 8_000 })).toThrow(refused);
    for (const sampleRateHz of [0, Number.NaN, 1e6]) {
      expect(() => new Downmixer({ channels: 2, sampleRateHz })).toThrow(refused);
    }
  });
});
