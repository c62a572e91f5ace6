import { AudioError } from './errors.js';
import { RESAMPLER_BLOCK_SAMPLES, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from './limits.js';
import { designSincFilter, type SincFilter } from './sinc-filter.js';

export interface ResamplerOptions {
  /** Samples per second that come in: a whole number, SAMPLE_RATE_HZ_MIN…SAMPLE_RATE_HZ_MAX. */
  readonly inputRateHz: number;
  /** Samples per second that go out: same bounds. */
  readonly outputRateHz: number;
}

function checkedRate(rateHz: number): number {
  if (!Number.isInteger(rateHz) || rateHz < SAMPLE_RATE_HZ_MIN || rateHz > SAMPLE_RATE_HZ_MAX) {
    throw new AudioError('invalid_argument', 'A sample rate is a whole number from 1000 to 768000 Hz.');
  }
  return rateHz;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Changes the sample rate of a mono stream, band-limited (see sinc-filter.ts; measured figures in docs/benchmarks.md).
 *
 * - The output is bit for bit the same however the input is cut.
 * - No shift in time: output sample 0 lies on input sample 0. Each output needs `lookaheadSamples` inputs behind it,
 *   so live output lags by that much; `finish()` gives the rest.
 * - n samples in, Math.round(n · out / in) samples out after `finish()`.
 * - NaN and ±Infinity count as 0. Nothing is clipped: a filter may overshoot ±1 by a little.
 * - Equal rates: samples pass unchanged.
 * - Memory: at most 1 MiB of coefficients, and the filter's length plus RESAMPLER_BLOCK_SAMPLES of input.
 */
export class Resampler {
  readonly inputRateHz: number;
  readonly outputRateHz: number;
  /** Inputs behind an output that it depends on; 0 at equal rates. */
  readonly lookaheadSamples: number;
  readonly #up: number;
  readonly #down: number;
  readonly #filter: SincFilter | undefined;
  readonly #buffer: Float32Array<ArrayBuffer>;
  #filled = 0;
  /** Where in the buffer the inputs of the next output begin; may lie beyond `#filled`. */
  #start = 0;
  /** How far behind that input the next output lies, in 1 / up input samples: 0…up − 1. */
  #phase = 0;
  #inputSamples = 0;
  #outputSamples = 0;
  #isFinished = false;

  /** Computes the coefficients (a few milliseconds). Rates out of bounds → `AudioError` `invalid_argument`. */
  constructor(options: ResamplerOptions) {
    this.inputRateHz = checkedRate(options.inputRateHz);
    this.outputRateHz = checkedRate(options.outputRateHz);
    const divisor = greatestCommonDivisor(this.inputRateHz, this.outputRateHz);
    this.#up = this.outputRateHz / divisor;
    this.#down = this.inputRateHz / divisor;
    this.#filter = this.#up === this.#down ? undefined : designSincFilter(this.#up, this.#down);
    const taps = this.#filter?.taps ?? 0;
    this.lookaheadSamples = taps / 2;
    this.#buffer = new Float32Array(this.#filter === undefined ? 0 : taps + RESAMPLER_BLOCK_SAMPLES);
    // Silence before the first sample, so that the first output lies on it.
    this.#filled = Math.max(0, taps / 2 - 1);
  }

  /** The outputs that `samples` completes; may be none. A fresh array; `samples` is copied. After `finish()`: `finished`. */
  push(samples: Float32Array): Float32Array<ArrayBuffer> {
    if (this.#isFinished) throw new AudioError('finished', 'The resampler was finished; make a new one.');
    this.#inputSamples += samples.length;
    return this.#filter === undefined ? finiteCopy(samples) : this.#run(this.#filter, samples);
  }

  /** The last outputs, as if silence followed. Once; then the resampler takes nothing more. Later calls give nothing. */
  finish(): Float32Array<ArrayBuffer> {
    if (this.#isFinished || this.#filter === undefined) {
      this.#isFinished = true;
      return new Float32Array(0);
    }
    this.#isFinished = true;
    const missing = this.#totalSamples() - this.#outputSamples;
    return this.#run(this.#filter, new Float32Array(this.lookaheadSamples)).slice(0, missing);
  }

  /** round(n · up / down) without a product that could leave the exact integers. */
  #totalSamples(): number {
    const rest = this.#inputSamples % this.#down;
    return ((this.#inputSamples - rest) / this.#down) * this.#up + Math.round((rest * this.#up) / this.#down);
  }

  #run(filter: SincFilter, samples: Float32Array): Float32Array<ArrayBuffer> {
    const out = new Float32Array(this.#readySamples(filter.taps, samples.length));
    let written = 0;
    for (let offset = 0; offset < samples.length; ) {
      this.#makeRoom();
      const taken = Math.min(samples.length - offset, this.#buffer.length - this.#filled);
      copyFinite(samples, offset, this.#buffer, this.#filled, taken);
      this.#filled += taken;
      offset += taken;
      written = this.#filterOnto(filter, out, written);
    }
    this.#outputSamples += written;
    return out;
  }

  /** How many outputs will be complete with `added` more inputs. */
  #readySamples(taps: number, added: number): number {
    // Output j begins at start + floor((phase + j · down) / up) and is complete while that is at most `last`.
    const last = this.#filled + added - taps - this.#start;
    return last < 0 ? 0 : Math.ceil(((last + 1) * this.#up - this.#phase) / this.#down);
  }

  /** Moves what is still needed to the front of the buffer when it is full. */
  #makeRoom(): void {
    if (this.#filled < this.#buffer.length) return;
    const kept = Math.min(this.#start, this.#filled);
    this.#buffer.copyWithin(0, kept, this.#filled);
    this.#filled -= kept;
    this.#start -= kept;
  }

  #filterOnto(filter: SincFilter, out: Float32Array, from: number): number {
    const { taps, table, rows, isInterpolated } = filter;
    const buffer = this.#buffer;
    const up = this.#up;
    const step = Math.floor(this.#down / up);
    const phaseStep = this.#down - step * up;
    const last = this.#filled - taps;
    let start = this.#start;
    let phase = this.#phase;
    let written = from;
    while (start <= last) {
      const place = isInterpolated ? (phase / up) * rows : phase;
      const row = Math.floor(place);
      const before = dot(buffer, start, table, row * taps, taps);
      out[written++] =
        place === row
          ? before
          : before + (place - row) * (dot(buffer, start, table, (row + 1) * taps, taps) - before);
      start += step;
      phase += phaseStep;
      if (phase >= up) {
        phase -= up;
        start++;
      }
    }
    this.#start = start;
    this.#phase = phase;
    return written;
  }
}

/** The hot loop: both arrays are always Float32Array, `taps` is a multiple of 4, four sums run in parallel. */
function dot(x: Float32Array, xFrom: number, h: Float32Array, hFrom: number, taps: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  // Casts: every index lies inside by construction, and a test for `undefined` would cost a tenth of the time.
  for (let k = 0; k < taps; k += 4) {
    const i = xFrom + k;
    const j = hFrom + k;
    a += (x[i] as number) * (h[j] as number);
    b += (x[i + 1] as number) * (h[j + 1] as number);
    c += (x[i + 2] as number) * (h[j + 2] as number);
    d += (x[i + 3] as number) * (h[j + 3] as number);
  }
  return a + b + (c + d);
}

function copyFinite(
  from: Float32Array,
  fromOffset: number,
  to: Float32Array,
  toOffset: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const sample = from[fromOffset + i] as number; // in range: the caller clips `length`
    to[toOffset + i] = sample - sample === 0 ? sample : 0;
  }
}

function finiteCopy(samples: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(samples.length);
  copyFinite(samples, 0, out, 0, samples.length);
  return out;
}

/** A whole recording at once: the same output as `Resampler` in pieces. */
export function resample(samples: Float32Array, options: ResamplerOptions): Float32Array<ArrayBuffer> {
  const resampler = new Resampler(options);
  const head = resampler.push(samples);
  const tail = resampler.finish();
  const out = new Float32Array(head.length + tail.length);
  out.set(head);
  out.set(tail, head.length);
  return out;
}
