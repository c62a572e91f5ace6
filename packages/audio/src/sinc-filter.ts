import { RESAMPLER_TABLE_LENGTH_MAX } from './limits.js';

/**
 * The low-pass of the resampler: a sinc under a Kaiser window (J. F. Kaiser, 1974; A. V. Oppenheim and R. W. Schafer,
 * "Discrete-Time Signal Processing", section 7.5).
 *
 * With N = half of the lower of both rates: passes 0…0.9 N, stops from N on, so nothing above the lower Nyquist
 * frequency comes back as an alias. 102 dB by the formula are 100 dB measured, the very edge included.
 */
const STOPBAND_DB = 102;

/** End of the passband as a share of the lower Nyquist frequency. */
export const PASSBAND_SHARE = 0.9;

const KAISER_BETA = 0.1102 * (STOPBAND_DB - 8.7);

/** Taps at equal rates: (A − 7.95) / (14.36 · Δf), Δf = width of the transition in cycles per sample. */
const TAPS_AT_EQUAL_RATES = (STOPBAND_DB - 7.95) / (14.36 * 0.5 * (1 - PASSBAND_SHARE));

/**
 * Rows per input sample of an interpolated table, at equal rates. Linear interpolation leaves images at about
 * (f / rows)², f in cycles per sample: (0.5 / 512)² = −120 dB, below what the window lets through.
 */
const ROWS_AT_EQUAL_RATES = 512;

/** Coefficients by phase: row r starts at `r * taps` and is the filter for an output that lies r / rows behind an input. */
export interface SincFilter {
  /** Length of a row; a multiple of 4. */
  readonly taps: number;
  /** Rows per input sample. */
  readonly rows: number;
  /** False: there is a row for every phase that occurs. True: one more row, and phases in between are interpolated. */
  readonly isInterpolated: boolean;
  readonly table: Float32Array;
}

/**
 * Designs the filter for `up` / `down` (in lowest terms) = output rate / input rate. Memory is bounded by
 * `RESAMPLER_TABLE_LENGTH_MAX` for every ratio: odd ones get an interpolated table.
 */
export function designSincFilter(up: number, down: number): SincFilter {
  // Downwards the filter stretches with the ratio, since it must stop at the output's Nyquist frequency.
  const stretch = Math.max(1, down / up);
  const taps = 4 * Math.ceil((TAPS_AT_EQUAL_RATES * stretch) / 4);
  const isInterpolated = up * taps > RESAMPLER_TABLE_LENGTH_MAX;
  const rows = isInterpolated ? Math.ceil(ROWS_AT_EQUAL_RATES / stretch) : up;
  const rowCount = isInterpolated ? rows + 1 : rows;
  const table = new Float32Array(rowCount * taps);
  const cutoff = (0.5 * (1 + PASSBAND_SHARE)) / stretch;
  for (let row = 0; row < rowCount; row++) {
    writeRow(table.subarray(row * taps, (row + 1) * taps), row / rows, cutoff);
  }
  return { taps, rows, isInterpolated, table };
}

function writeRow(row: Float32Array, phase: number, cutoff: number): void {
  const half = row.length / 2;
  const values = new Float64Array(row.length);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    // Distance from the output to this input, in input samples: −half < distance <= half.
    const distance = i + 1 - half - phase;
    const value = sinc(cutoff * distance) * kaiser(distance / half);
    values[i] = value;
    sum += value;
  }
  // Each row lets a constant through unchanged: no ripple at the rate of the phases, no gain.
  for (let i = 0; i < row.length; i++) row[i] = (values[i] ?? 0) / sum;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

const KAISER_PEAK = besselI0(KAISER_BETA);

/** The window at −1…1; 0 outside. */
function kaiser(x: number): number {
  const inside = 1 - x * x;
  return inside <= 0 ? 0 : besselI0(KAISER_BETA * Math.sqrt(inside)) / KAISER_PEAK;
}

/** Modified Bessel function of order 0, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
