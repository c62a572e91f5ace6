import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RESAMPLER_TABLE_LENGTH_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '../src/limits.js';
import { designSincFilter } from '../src/sinc-filter.js';

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const design = (inputHz: number, outputHz: number) =>
  designSincFilter(outputHz / gcd(inputHz, outputHz), inputHz / gcd(inputHz, outputHz));

describe('designSincFilter', () => {
  it('stays within its bound of memory for every ratio', () => {
    const rate = fc.integer({ min: SAMPLE_RATE_HZ_MIN, max: SAMPLE_RATE_HZ_MAX });
    const check = (inputHz: number, outputHz: number) => {
      const filter = design(inputHz, outputHz);
      expect(filter.table.length).toBeLessThanOrEqual(RESAMPLER_TABLE_LENGTH_MAX);
      expect(filter.table.length).toBe(filter.taps * (filter.rows + (filter.isInterpolated ? 1 : 0)));
      expect(filter.taps % 4).toBe(0);
    };
    for (const low of [1_000, 1_001, 16_000])
      for (const high of [768_000, 767_999, 44_101]) {
        check(low, high);
        check(high, low);
      }
    fc.assert(fc.property(rate, rate, check), { numRuns: 60 });
  });

  it('has a row for every phase of the common rates', () => {
    for (const rateHz of [8_000, 11_025, 22_050, 24_000, 32_000, 37_800, 44_100, 48_000, 96_000, 192_000]) {
      expect([rateHz, design(rateHz, 16_000).isInterpolated]).toEqual([rateHz, false]);
    }
    expect(design(44_101, 16_000).isInterpolated).toBe(true);
  });

  it('is the same read from both ends: linear phase', () => {
    const { taps, rows, table } = design(8_000, 16_000);
    expect(rows).toBe(2);
    // Row 0 lies on an input, so it has one tap more behind than before; row 1 lies between two.
    const [onInput, between] = [table.subarray(0, taps), table.subarray(taps)];
    for (let i = 0; i < taps; i++) {
      if (i < taps - 1) expect(onInput[i]).toBe(onInput[taps - 2 - i]);
      expect(between[i]).toBe(between[taps - 1 - i]);
    }
  });
});
