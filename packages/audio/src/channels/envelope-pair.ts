import { BANDS, SILENCE_DB } from './pair-spectrum.js';

/** Frames of 32 ms to either side: a second. */
const LAGS = 31;
/** Of loudness: how fast the mean forgets, in frames, and how fast the loudest does. */
const MEAN_FRAMES = 31;
const PEAK_DB_PER_FRAME = 0.01;
/** What is further below the loudest is not looked at: the noise of a line, and the echo on it. */
const RANGE_DB = 25;

/**
 * Whether the loudness of two channels goes up and down together: two microphones in one room do, however the room and their
 * places change the sound itself; two speakers do not. Holds a second of it.
 */
export class EnvelopePair {
  readonly #means = new Float64Array(2 * BANDS);
  readonly #peaks = new Float64Array(2 * BANDS).fill(SILENCE_DB);
  #frames = 0;
  /** The last frames, the newest first. */
  readonly #past: Float64Array[] = [];
  /** By lag of the second channel behind the first, from −LAGS on. */
  readonly #products = new Float64Array(2 * LAGS + 1);
  readonly #powers = [0, 0];

  /** `bands`: of one frame, as in `PairFrame`. */
  add(bands: Float64Array): void {
    this.#frames += 1;
    const frame = bands.map((level, index) => this.#swing(level, index));
    this.#past.unshift(frame);
    if (this.#past.length > LAGS + 1) this.#past.pop();
    for (let band = 0; band < BANDS; band += 1) {
      this.#powers[0] = (this.#powers[0] ?? 0) + (frame[band] ?? 0) ** 2;
      this.#powers[1] = (this.#powers[1] ?? 0) + (frame[BANDS + band] ?? 0) ** 2;
    }
    for (let lag = 0; lag < this.#past.length; lag += 1) {
      const before = this.#past[lag] ?? frame;
      let later = 0;
      let earlier = 0;
      for (let band = 0; band < BANDS; band += 1) {
        later += (before[band] ?? 0) * (frame[BANDS + band] ?? 0);
        earlier += (frame[band] ?? 0) * (before[BANDS + band] ?? 0);
      }
      this.#products[LAGS + lag] = (this.#products[LAGS + lag] ?? 0) + later;
      if (lag > 0) this.#products[LAGS - lag] = (this.#products[LAGS - lag] ?? 0) + earlier;
    }
  }

  /** How much, at the delay at which it is most: 1 is the same, about 0 are two voices. */
  parallel(): number {
    const scale = Math.sqrt((this.#powers[0] ?? 0) * (this.#powers[1] ?? 0));
    return scale === 0 ? 0 : Math.max(...this.#products) / scale;
  }

  /** How far a level is from its mean, within the range that is looked at. */
  #swing(level: number, index: number): number {
    const peak = Math.max(level, (this.#peaks[index] ?? SILENCE_DB) - PEAK_DB_PER_FRAME);
    this.#peaks[index] = peak;
    const height = Math.max(0, level - (peak - RANGE_DB));
    // At first the plain mean: a beginning is no swing.
    const before = this.#means[index] ?? 0;
    const mean = before + (height - before) / Math.min(MEAN_FRAMES, this.#frames);
    this.#means[index] = mean;
    return height - mean;
  }
}
