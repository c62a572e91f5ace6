import { describe, expect, it } from 'vitest';
import { loudEnough, loudEnoughToNotice, UNHEARD } from '../../src/recognition/loudness.js';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';

const FRAME = 512;
const { levelDbfsMin, levelFallDb, gainDbMax } = DEFAULT_POLICY;

/** A tone of whole frames, so loud (dB below full scale, of the root of the mean square). */
function tone(frames: number, dbfs: number): Float32Array {
  const peak = Math.SQRT2 * 10 ** (dbfs / 20);
  return Float32Array.from({ length: frames * FRAME }, (_, i) => peak * Math.sin((2 * Math.PI * i) / 32));
}

function level(samples: Float32Array): number {
  return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

const frameOf = (samples: Float32Array, index: number) =>
  samples.subarray(index * FRAME, (index + 1) * FRAME);

describe('a window for the model', () => {
  it('stays as it is where its speech is loud enough, whatever else is in it', () => {
    const samples = new Float32Array(400 * FRAME);
    samples.set(tone(5, levelDbfsMin + 0.1), 20 * FRAME);
    expect(loudEnough(samples, DEFAULT_POLICY)).toBe(samples);
  });

  it('is made louder where it is quiet, in a copy, by no more than the bound', () => {
    for (const under of [3, 20, gainDbMax, gainDbMax + 15]) {
      const samples = tone(20, levelDbfsMin - under);
      const kept = samples.slice();
      const gain = level(loudEnough(samples, DEFAULT_POLICY)) - level(samples);
      expect(gain).toBeCloseTo(Math.min(under, gainDbMax), 3);
      expect(samples.every((sample, i) => sample === kept[i])).toBe(true);
    }
  });

  it('goes nowhere beyond full scale, for a click in it', () => {
    const samples = tone(60, levelDbfsMin - 20);
    samples[100] = -0.5;
    const louder = loudEnough(samples, DEFAULT_POLICY);
    expect(Math.min(...louder)).toBeCloseTo(-1, 6);
    expect(level(louder) - level(samples)).toBeCloseTo(20 * Math.log10(2), 3);
  });

  it('may be silence, or nothing', () => {
    for (const samples of [new Float32Array(8000), new Float32Array(0), new Float32Array(10)]) {
      expect(loudEnough(samples, DEFAULT_POLICY)).toEqual(samples);
    }
  });
});

describe('a stream for voice detection', () => {
  it('stays as it is where it is loud enough', () => {
    const samples = tone(20, levelDbfsMin + 0.1);
    const { samples: noticed, loudness } = loudEnoughToNotice(samples, UNHEARD, DEFAULT_POLICY);
    expect(noticed).toBe(samples);
    expect(loudness).toBeCloseTo(levelDbfsMin + 0.1, 3);
  });

  it('is made louder from its first frame, by no more than the bound', () => {
    for (const under of [1, 10, gainDbMax + 10]) {
      const quiet = tone(4, levelDbfsMin - under);
      const { samples } = loudEnoughToNotice(quiet, UNHEARD, DEFAULT_POLICY);
      const gain = level(frameOf(samples, 0)) - level(frameOf(quiet, 0));
      expect(gain).toBeCloseTo(Math.min(under, gainDbMax), 3);
    }
  });

  it('keeps the pauses of loud speech quiet, and hears a quiet voice some time after a loud one', () => {
    const quietDbfs = levelDbfsMin - 12;
    const loudDbfs = -22;
    const seconds = 14;
    const quiet = tone(Math.ceil((seconds * 16_000) / FRAME), quietDbfs);
    const { loudness } = loudEnoughToNotice(tone(4, loudDbfs), UNHEARD, DEFAULT_POLICY);
    const { samples } = loudEnoughToNotice(quiet, loudness, DEFAULT_POLICY);
    const gainAfter = (second: number): number => {
      const frame = Math.floor((second * 16_000) / FRAME);
      return level(frameOf(samples, frame)) - quietDbfs;
    };
    const silentS = (loudDbfs - levelDbfsMin) / levelFallDb;
    expect(gainAfter(silentS - 0.1)).toBeCloseTo(0, 3);
    expect(gainAfter(silentS + 1)).toBeGreaterThan(levelFallDb / 2);
    expect(gainAfter(seconds - 0.1)).toBeCloseTo(12, 3);
  });

  it('is the same however it is cut', () => {
    const whole = Float32Array.from([...tone(3, -60), ...tone(2, -30), ...tone(30, -70)]);
    const { samples: expected } = loudEnoughToNotice(whole, UNHEARD, DEFAULT_POLICY);
    const pieces: number[] = [];
    let loudness = UNHEARD;
    for (const frames of [1, 2, 5, 7, 20]) {
      const piece = whole.subarray(pieces.length, pieces.length + frames * FRAME);
      const noticed = loudEnoughToNotice(piece, loudness, DEFAULT_POLICY);
      pieces.push(...noticed.samples);
      loudness = noticed.loudness;
    }
    expect(pieces.every((sample, i) => sample === expected[i])).toBe(true);
    expect(pieces.length).toBe(expected.length);
  });
});
