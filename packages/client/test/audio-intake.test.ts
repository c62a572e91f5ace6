import { resample } from '@kikitori/audio';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioIntake, lengthSamples, type Pcm } from '../src/audio-intake.js';

function everything(intake: AudioIntake, pieces: readonly Pcm[]): number[] {
  const bytes = [...pieces.map((piece) => intake.push(piece)), intake.flush()];
  const whole = Uint8Array.from(bytes.flatMap((part) => [...part]));
  return [...new Int16Array(whole.buffer)];
}

describe('the audio intake', () => {
  it('passes 16-bit audio at 16 kHz on bit by bit', () => {
    const samples = Int16Array.of(-32768, -1, 0, 1, 32767);
    expect(everything(new AudioIntake(16_000), [samples])).toEqual([...samples]);
    expect(everything(new AudioIntake(16_000), [new Uint8Array(samples.buffer)])).toEqual([...samples]);
  });

  it('gives the same audio however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -32768, max: 32767 }), { maxLength: 200 }),
        fc.array(fc.nat({ max: 400 }), { maxLength: 8 }),
        (values, cuts) => {
          const bytes = new Uint8Array(Int16Array.from(values).buffer);
          const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
          expect(everything(new AudioIntake(16_000), pieces)).toEqual(values);
        },
      ),
    );
  });

  it('resamples as the one-shot resampler does, and begins anew after a flush', () => {
    const tone = Float32Array.from({ length: 4800 }, (_, index) => Math.sin(index / 20) / 2);
    const expected = resample(tone, { inputRateHz: 48_000, outputRateHz: 16_000 });
    const intake = new AudioIntake(48_000);
    const first = everything(intake, [tone.subarray(0, 1000), tone.subarray(1000)]);
    const second = everything(intake, [tone]);
    expect(first).toHaveLength(1600);
    expect(second).toEqual(first);
    expect(
      Math.max(...first.map((value, index) => Math.abs(value / 32768 - (expected[index] ?? 9)))),
    ).toBeLessThan(1 / 32768);
  });

  it('counts whole samples', () => {
    expect(lengthSamples(new Uint8Array(5))).toBe(2);
    expect(lengthSamples(new Int16Array(5))).toBe(5);
    expect(lengthSamples(new Float32Array(5))).toBe(5);
  });
});
