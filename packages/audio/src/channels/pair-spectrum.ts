import { Spectrum } from './spectrum.js';

/** One look at both channels. */
export interface PairFrame {
  /** Power in the band of speech, dB below a full-scale square wave; `SILENCE_DB` for none. */
  readonly levels: readonly number[];
  /** The same in `BANDS` parts of that band: those of the first channel, then those of the second. */
  readonly bands: Float64Array;
  /** And in `FINE_BANDS` parts. */
  readonly fineBands: Float64Array;
}

/** Where no sound is. */
export const SILENCE_DB = -120;

/** Bounds of the parts, Hz: as much of speech in each, of what a telephone carries. */
const EDGES_HZ = [300, 600, 1_200, 2_200, 3_400] as const;
export const BANDS = EDGES_HZ.length - 1;
/** Parts of one width: of so many bins that noise is nearly as loud in one frame as in the next. */
export const FINE_BANDS = 12;

/** What is looked at has about this rate: twice what a telephone carries. */
const RATE_HZ = 8_000;
/** A frame is 64 ms at 8 kHz, so that two microphones in one room hear the same in it. */
const FRAME_SAMPLES = 512;
const HOP_SAMPLES = FRAME_SAMPLES / 2;

/** Two channels as frames of their spectra, and what those have in common. */
export class PairSpectrum {
  readonly framesPerS: number;
  readonly #factor: number;
  readonly #spectrum = new Spectrum(FRAME_SAMPLES);
  readonly #window: Float64Array;
  readonly #firstBin: number;
  /** The band that a bin lies in, from `#firstBin` on. */
  readonly #bandOfBin: Uint8Array;
  /** What the sums of a frame are of one at full scale. */
  readonly #scale: number;
  readonly #samples = [new Float64Array(FRAME_SAMPLES), new Float64Array(FRAME_SAMPLES)] as const;
  readonly #real = new Float64Array(FRAME_SAMPLES);
  readonly #imaginary = new Float64Array(FRAME_SAMPLES);
  readonly #crossReal = new Float64Array(FRAME_SAMPLES);
  readonly #crossImaginary = new Float64Array(FRAME_SAMPLES);
  /** Sums of the magnitudes of each channel. */
  readonly #weights = [0, 0];
  /** Of both channels in the bin that is looked at. */
  readonly #powers = [0, 0];
  #filled = 0;
  /** Input frames in the sums that will be the next sample. */
  #summed = 0;
  readonly #sums = [0, 0];

  constructor(sampleRateHz: number) {
    this.#factor = Math.max(1, Math.floor(sampleRateHz / RATE_HZ));
    const rateHz = sampleRateHz / this.#factor;
    this.framesPerS = rateHz / HOP_SAMPLES;
    this.#window = Float64Array.from(
      { length: FRAME_SAMPLES },
      (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (at + 0.5)) / FRAME_SAMPLES),
    );
    const binOf = (hz: number): number =>
      Math.min(FRAME_SAMPLES / 2, Math.round((hz / rateHz) * FRAME_SAMPLES));
    this.#firstBin = binOf(EDGES_HZ[0]);
    this.#bandOfBin = Uint8Array.from(
      { length: binOf(EDGES_HZ[BANDS] ?? 0) - this.#firstBin },
      (_, index) => {
        const hz = ((index + this.#firstBin) / FRAME_SAMPLES) * rateHz;
        return Math.max(
          0,
          EDGES_HZ.findLastIndex((edge) => hz >= edge),
        );
      },
    );
    const weight = this.#window.reduce((sum, value) => sum + value * value, 0);
    this.#scale = 2 / (weight * FRAME_SAMPLES);
  }

  /** The frames that interleaved samples of two channels complete. */
  *push(interleaved: Float32Array): Generator<PairFrame> {
    const [first, second] = this.#samples;
    for (let at = 0; at + 1 < interleaved.length; at += 2) {
      this.#sums[0] = (this.#sums[0] ?? 0) + finite(interleaved[at]);
      this.#sums[1] = (this.#sums[1] ?? 0) + finite(interleaved[at + 1]);
      this.#summed += 1;
      if (this.#summed < this.#factor) continue;
      first[this.#filled] = (this.#sums[0] ?? 0) / this.#factor;
      second[this.#filled] = (this.#sums[1] ?? 0) / this.#factor;
      this.#sums.fill(0);
      this.#summed = 0;
      this.#filled += 1;
      if (this.#filled < FRAME_SAMPLES) continue;
      yield this.#look();
      for (const samples of this.#samples) samples.copyWithin(0, HOP_SAMPLES);
      this.#filled = FRAME_SAMPLES - HOP_SAMPLES;
    }
  }

  /**
   * How much both channels had in common since the last call: 0…1, at the one delay at which it is most, whatever the
   * polarity. Loud and quiet parts count nearly alike, so that a voice shows beside louder music.
   */
  takeCommon(): number {
    const [first = 0, second = 0] = this.#weights;
    const weight = Math.sqrt(first * second);
    this.#spectrum.transform(this.#crossReal, this.#crossImaginary);
    let most = 0;
    for (const value of this.#crossReal) most = Math.max(most, Math.abs(value));
    this.#crossReal.fill(0);
    this.#crossImaginary.fill(0);
    this.#weights.fill(0);
    return weight === 0 ? 0 : most / (2 * weight);
  }

  #look(): PairFrame {
    const [first, second] = this.#samples;
    for (let at = 0; at < FRAME_SAMPLES; at += 1) {
      const weight = this.#window[at] ?? 0;
      this.#real[at] = (first[at] ?? 0) * weight;
      this.#imaginary[at] = (second[at] ?? 0) * weight;
    }
    // Two real signals in one complex transform: what is even of it is the one, what is odd the other.
    this.#spectrum.transform(this.#real, this.#imaginary);
    const bands = new Float64Array(2 * BANDS);
    const fineBands = new Float64Array(2 * FINE_BANDS);
    const bins = this.#bandOfBin.length;
    for (let index = 0; index < bins; index += 1) {
      const band = this.#bandOfBin[index] ?? 0;
      const fine = Math.floor((index * FINE_BANDS) / bins);
      this.#lookAt(index + this.#firstBin);
      const [first = 0, second = 0] = this.#powers;
      bands[band] = (bands[band] ?? 0) + first;
      bands[BANDS + band] = (bands[BANDS + band] ?? 0) + second;
      fineBands[fine] = (fineBands[fine] ?? 0) + first;
      fineBands[FINE_BANDS + fine] = (fineBands[FINE_BANDS + fine] ?? 0) + second;
    }
    return this.#frameOf(bands, fineBands);
  }

  /** Notes the power of both in a bin, and adds it to what they have in common. */
  #lookAt(bin: number): void {
    const mirrored = FRAME_SAMPLES - bin;
    const re = this.#real[bin] ?? 0;
    const im = this.#imaginary[bin] ?? 0;
    const mirroredRe = this.#real[mirrored] ?? 0;
    const mirroredIm = this.#imaginary[mirrored] ?? 0;
    const aRe = (re + mirroredRe) / 2;
    const aIm = (im - mirroredIm) / 2;
    const bRe = (im + mirroredIm) / 2;
    const bIm = (mirroredRe - re) / 2;
    const first = aRe * aRe + aIm * aIm;
    const second = bRe * bRe + bIm * bIm;
    this.#powers[0] = first;
    this.#powers[1] = second;
    const magnitude = Math.sqrt(first);
    const otherMagnitude = Math.sqrt(second);
    this.#weights[0] = (this.#weights[0] ?? 0) + magnitude;
    this.#weights[1] = (this.#weights[1] ?? 0) + otherMagnitude;
    const product = magnitude * otherMagnitude;
    if (product === 0) return;
    // Between the power and the phase alone: divided by the root of the magnitudes.
    const share = 1 / Math.sqrt(product);
    this.#addCross(bin, (aRe * bRe + aIm * bIm) * share, (aIm * bRe - aRe * bIm) * share);
  }

  #addCross(bin: number, re: number, im: number): void {
    const mirrored = FRAME_SAMPLES - bin;
    this.#crossReal[bin] = (this.#crossReal[bin] ?? 0) + re;
    this.#crossImaginary[bin] = (this.#crossImaginary[bin] ?? 0) + im;
    this.#crossReal[mirrored] = (this.#crossReal[mirrored] ?? 0) + re;
    this.#crossImaginary[mirrored] = (this.#crossImaginary[mirrored] ?? 0) - im;
  }

  #frameOf(bands: Float64Array, fineBands: Float64Array): PairFrame {
    const levels = [0, BANDS].map((from) =>
      this.#decibels(bands.subarray(from, from + BANDS).reduce((sum, power) => sum + power, 0)),
    );
    const inDecibels = (powers: Float64Array): Float64Array => powers.map((power) => this.#decibels(power));
    return { levels, bands: inDecibels(bands), fineBands: inDecibels(fineBands) };
  }

  #decibels(power: number): number {
    return power === 0 ? SILENCE_DB : Math.max(SILENCE_DB, 10 * Math.log10(power * this.#scale));
  }
}

function finite(sample = 0): number {
  return sample - sample === 0 ? sample : 0;
}
