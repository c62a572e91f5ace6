import { describe, expect, it } from 'vitest';
import { LEVEL_DBFS_MIN, measureLevel } from '../src/level.js';

const sine = Float32Array.from({ length: 1_000 }, (_, i) => Math.sin((2 * Math.PI * i) / 100));

describe('measureLevel', () => {
  it('measures against a full-scale square wave', () => {
    expect(measureLevel(Float32Array.of(1, -1, 1, -1))).toEqual({ rmsDbfs: 0, peakDbfs: 0 });
    expect(measureLevel(sine).rmsDbfs).toBeCloseTo(-3.01, 2);
    expect(measureLevel(sine).peakDbfs).toBeCloseTo(0, 3);
    expect(measureLevel(sine.map((sample) => sample / 10)).rmsDbfs).toBeCloseTo(-23.01, 2);
    expect(measureLevel(Float32Array.of(0.001, -0.5)).peakDbfs).toBeCloseTo(-6.02, 2);
  });

  it('gives a finite floor for silence, nothing, NaN and infinities', () => {
    const floor = { rmsDbfs: LEVEL_DBFS_MIN, peakDbfs: LEVEL_DBFS_MIN };
    expect(measureLevel(new Float32Array(0))).toEqual(floor);
    expect(measureLevel(new Float32Array(9))).toEqual(floor);
    expect(measureLevel(Float32Array.of(1e-9))).toEqual(floor);
    expect(measureLevel(Float32Array.of(Number.NaN, Infinity, -Infinity))).toEqual(floor);
  });
});
