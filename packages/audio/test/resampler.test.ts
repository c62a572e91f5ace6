import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Resampler, resample } from '../src/resampler.js';

const noise = (length: number, seed = 1) => {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  });
};

function inPieces(input: Float32Array, rates: { inputRateHz: number; outputRateHz: number }, cuts: number[]) {
  const resampler = new Resampler(rates);
  const out: Float32Array[] = [];
  let offset = 0;
  for (const length of cuts) {
    out.push(resampler.push(input.subarray(offset, offset + length)));
    offset = Math.min(input.length, offset + length);
  }
  out.push(resampler.push(input.subarray(offset)), resampler.finish());
  return Float32Array.from(out.flatMap((piece) => [...piece]));
}

/** `toEqual` walks long arrays element by element, and takes seconds. */
const isSame = (a: Float32Array, b: Float32Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

const pairs = [
  [48_000, 16_000],
  [44_100, 16_000],
  [8_000, 16_000],
  [11_025, 16_000],
  [37_800, 16_000],
  [44_101, 16_000],
  [12_347, 16_000],
  [16_000, 16_000],
  [384_000, 16_000],
  [4_000, 16_000],
  [16_000, 44_100],
] as const;

describe('Resampler', () => {
  it.each(pairs)(
    'gives the same bits however the input is cut (%i to %i Hz)',
    (inputRateHz, outputRateHz) => {
      const rates = { inputRateHz, outputRateHz };
      const input = noise(11_000);
      const whole = resample(input, rates);
      expect(whole.length).toBe(Math.round((input.length * outputRateHz) / inputRateHz));
      expect(isSame(inPieces(input, rates, new Array(86).fill(128)), whole)).toBe(true);
      expect(isSame(inPieces(input, rates, [1, 4_096, 0, 4_097, 2]), whole)).toBe(true);
      fc.assert(
        fc.property(fc.array(fc.oneof(fc.nat(5), fc.nat(5_000)), { maxLength: 8 }), (cuts) => {
          expect(isSame(inPieces(input, rates, cuts), whole)).toBe(true);
        }),
        { numRuns: 8 },
      );
    },
  );

  it('gives round(n · out / in) samples for every length', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.constantFrom(...pairs), (length, [inputRateHz, outputRateHz]) => {
        const out = resample(noise(length), { inputRateHz, outputRateHz });
        expect(out.length).toBe(Math.round((length * outputRateHz) / inputRateHz));
      }),
      { numRuns: 60 },
    );
  });
});
