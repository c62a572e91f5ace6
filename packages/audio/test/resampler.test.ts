import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Resampler, resample } from '../src/resampler.js';
import { PASSBAND_SHARE } from '../src/sinc-filter.js';
import { fitSine, levelDb, sine } from './sine-fit.js';

const libsamplerate: typeof import('@alexanderolsen/libsamplerate-js') = createRequire(import.meta.url)(
  '@alexanderolsen/libsamplerate-js',
);

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

  it('lays output sample 0 on input sample 0', () => {
    for (const [inputRateHz, outputRateHz] of pairs) {
      const pulse = new Float32Array(4_001);
      pulse[0] = 1;
      const out = resample(pulse, { inputRateHz, outputRateHz });
      const peak = out.reduce((best, sample, i) => (sample > (out[best] ?? 0) ? i : best), 0);
      expect([inputRateHz, peak]).toEqual([inputRateHz, 0]);
    }
  });

  it('lags by what it says and no more', () => {
    for (const [inputRateHz, outputRateHz] of pairs) {
      const resampler = new Resampler({ inputRateHz, outputRateHz });
      const before = resampler.push(new Float32Array(resampler.lookaheadSamples));
      expect([before.length, resampler.push(new Float32Array(1)).length > 0]).toEqual([0, true]);
    }
  });

  it('lets a constant through unchanged at every phase', () => {
    for (const [inputRateHz, outputRateHz] of pairs) {
      const out = resample(new Float32Array(60_000).fill(0.5), { inputRateHz, outputRateHz });
      const edge = Math.ceil((100 * outputRateHz) / Math.min(inputRateHz, outputRateHz));
      const inner = out.subarray(edge, out.length - edge);
      expect(inner.reduce((most, sample) => Math.max(most, Math.abs(sample - 0.5)), 0)).toBeLessThan(1e-6);
    }
  });

  it('takes NaN and infinities for silence, and spreads nothing of them', () => {
    const clean = noise(3_000);
    const dirty = clean.slice();
    for (const [at, value] of [Number.NaN, Infinity, -Infinity].entries()) {
      clean[1_000 + at] = 0;
      dirty[1_000 + at] = value;
    }
    for (const [inputRateHz, outputRateHz] of pairs) {
      const rates = { inputRateHz, outputRateHz };
      expect(isSame(resample(dirty, rates), resample(clean, rates))).toBe(true);
    }
  });

  it('takes nothing after its end, and ends once', () => {
    const resampler = new Resampler({ inputRateHz: 8_000, outputRateHz: 16_000 });
    resampler.push(noise(10));
    expect(resampler.finish().length).toBe(20);
    expect(resampler.finish().length).toBe(0);
    expect(() => resampler.push(noise(1))).toThrow(expect.objectContaining({ code: 'finished' }));
  });

  it('refuses rates that are none', () => {
    for (const rateHz of [0, -1, 999, 768_001, 44_100.5, Number.NaN, Infinity]) {
      const refused = expect.objectContaining({ code: 'invalid_argument' });
      expect(() => new Resampler({ inputRateHz: rateHz, outputRateHz: 16_000 })).toThrow(refused);
      expect(() => new Resampler({ inputRateHz: 16_000, outputRateHz: rateHz })).toThrow(refused);
    }
  });
});

// Half of the lower rate: what is above cannot be in the output, what is well below must come through whole.
const nyquist = (pair: readonly [number, number]) => Math.min(...pair) / 2;
const measured = [...pairs.filter(([input, output]) => input !== output), [767_999, 16_000]] as const;
const sweepSeconds = 0.1;

describe('the filter of the resampler', () => {
  it.each(measured)(
    'passes 0 to 0.9 of the band within 0.001 dB, in place, %i to %i Hz',
    (inputRateHz, outputRateHz) => {
      const edge = Math.ceil((100 * outputRateHz) / Math.min(inputRateHz, outputRateHz));
      const length = Math.ceil(inputRateHz * (sweepSeconds + 200 / Math.min(inputRateHz, outputRateHz)));
      for (let step = 1; step <= 12; step++) {
        const hz = (nyquist([inputRateHz, outputRateHz]) * PASSBAND_SHARE * step) / 12;
        const out = resample(sine(hz, inputRateHz, length), { inputRateHz, outputRateHz });
        const { gainDb, delaySeconds, restDb } = fitSine(out, hz, outputRateHz, edge);
        expect(Math.abs(gainDb)).toBeLessThan(0.001);
        expect(Math.abs(delaySeconds)).toBeLessThan(1e-10);
        // Images of the phases, of the interpolated table, and rounding to 32 bits.
        expect(restDb).toBeLessThan(-100);
      }
    },
  );

  it.each(measured.filter(([input, output]) => input > output))(
    "rejects everything from the output's Nyquist frequency on by 100 dB, %i to %i Hz",
    (inputRateHz, outputRateHz) => {
      const length = Math.ceil(inputRateHz * (sweepSeconds / 4 + 200 / outputRateHz));
      const from = nyquist([inputRateHz, outputRateHz]);
      for (let step = 0; step <= 24; step++) {
        // Denser near the edge, where it matters.
        const hz = from + (inputRateHz / 2 - from) * 0.999 * (step / 24) ** 3;
        const out = resample(sine(hz, inputRateHz, length), { inputRateHz, outputRateHz });
        expect(levelDb(out, 100)).toBeLessThan(-100);
      }
    },
  );

  it.each([
    [48_000, 16_000],
    [44_100, 16_000],
    [22_050, 16_000],
    [12_347, 16_000],
    [8_000, 16_000],
  ])('agrees with libsamplerate at its best to 110 dB, %i to %i Hz', async (inputRateHz, outputRateHz) => {
    const voice = sine(110, inputRateHz, inputRateHz / 2);
    for (const hz of [437, 1_203, 2_717, 3_301]) {
      const part = sine(hz, inputRateHz, voice.length);
      for (let i = 0; i < voice.length; i++) voice[i] = 0.6 * ((voice[i] ?? 0) + (part[i] ?? 0));
    }
    const converterType = libsamplerate.ConverterType.SRC_SINC_BEST_QUALITY;
    const oracle = await libsamplerate.create(1, inputRateHz, outputRateHz, { converterType });
    const theirs = oracle.simple(voice);
    oracle.destroy();
    const ours = resample(voice, { inputRateHz, outputRateHz });
    expect(Math.abs(ours.length - theirs.length)).toBeLessThanOrEqual(1);
    const difference = ours.map((sample, i) => sample - (theirs[i] ?? 0));
    expect(levelDb(difference, 600)).toBeLessThan(-110);
  });
});
