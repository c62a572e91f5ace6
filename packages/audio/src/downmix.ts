import { AudioError } from './errors.js';
import { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from './limits.js';

export interface DownmixerOptions {
  /** Interleaved channels that come in: 1…CHANNELS_MAX. */
  readonly channels: number;
  /** SAMPLE_RATE_HZ_MIN…SAMPLE_RATE_HZ_MAX: says how long a block of 10 ms is. */
  readonly sampleRateHz: number;
}

/** Blocks a second: so often the mix is judged. */
const BLOCKS_PER_SECOND = 100;
/** What a block's energy weighs in the running energies: about 50 ms of memory. */
const SHARE_OF_BLOCK = 0.2;
/** The average has lost its sound when it is 12 dB below the loudest channel. Two channels, one of them silent: 6 dB. */
const LOST_RATIO = 1 / 16;
/** And is back from 9 dB on; between the two nothing changes. */
const BACK_RATIO = 1 / 8;
/** A channel takes over from the chosen one when it is 3 dB louder. */
const TAKEOVER_RATIO = 2;

/** The average of all channels, or one channel alone. */
type Choice = number | 'average';

/**
 * Any number of channels to one. The rule: the average; where the channels cancel each other (right = inverted left) or
 * one speaks among many silent ones (centre of 5.1), so that the average is 12 dB below the loudest, the loudest alone.
 *
 * Judged once per 10 ms on the running energies, and faded over the next 10 ms, so there is no click and no delay: every
 * frame that goes in comes out at once. The first 10 ms are always the average. The output does not depend on how the
 * input is cut. NaN and ±Infinity count as 0.
 */
export class Downmixer {
  readonly channels: number;
  readonly #blockFrames: number;
  /** Running energy of each channel, and behind them of the average. */
  readonly #energies: Float64Array;
  readonly #blockEnergies: Float64Array;
  /** What each channel weighs at the beginning and at the end of this block. */
  readonly #weightsFrom: Float64Array;
  readonly #weightsTo: Float64Array;
  #choice: Choice = 'average';
  #blockFilled = 0;
  /** Part of a frame that waits for the rest of its channels. */
  readonly #held: Float32Array;
  #heldSamples = 0;

  /** Values out of bounds → `AudioError` `invalid_argument`. */
  constructor(options: DownmixerOptions) {
    const { channels, sampleRateHz } = options;
    if (!Number.isInteger(channels) || channels < 1 || channels > CHANNELS_MAX) {
      throw new AudioError('invalid_argument', 'Audio has 1 to 64 channels.');
    }
    if (!(sampleRateHz >= SAMPLE_RATE_HZ_MIN && sampleRateHz <= SAMPLE_RATE_HZ_MAX)) {
      throw new AudioError('invalid_argument', 'A sample rate is a whole number from 1000 to 768000 Hz.');
    }
    this.channels = channels;
    this.#blockFrames = Math.round(sampleRateHz / BLOCKS_PER_SECOND);
    this.#energies = new Float64Array(channels + 1);
    this.#blockEnergies = new Float64Array(channels + 1);
    this.#weightsFrom = new Float64Array(channels).fill(1 / channels);
    this.#weightsTo = this.#weightsFrom.slice();
    this.#held = new Float32Array(channels);
  }

  /** One sample per whole frame. Samples of a frame cut in two wait for the rest. A fresh array. */
  push(interleaved: Float32Array): Float32Array<ArrayBuffer> {
    const { channels } = this;
    const out = new Float32Array(Math.floor((this.#heldSamples + interleaved.length) / channels));
    let offset = 0;
    let written = 0;
    while (offset < interleaved.length) {
      if (this.#heldSamples > 0 || interleaved.length - offset < channels) {
        const taken = Math.min(channels - this.#heldSamples, interleaved.length - offset);
        this.#held.set(interleaved.subarray(offset, offset + taken), this.#heldSamples);
        this.#heldSamples += taken;
        offset += taken;
        if (this.#heldSamples < channels) break;
        out[written++] = this.#mix(this.#held, 0);
        this.#heldSamples = 0;
      } else {
        out[written++] = this.#mix(interleaved, offset);
        offset += channels;
      }
    }
    return out;
  }

  #mix(samples: Float32Array, offset: number): number {
    const { channels } = this;
    const energies = this.#blockEnergies;
    const fade = this.#blockFilled / this.#blockFrames;
    let sum = 0;
    let mixed = 0;
    for (let channel = 0; channel < channels; channel++) {
      const stored = samples[offset + channel] ?? 0;
      const sample = stored - stored === 0 ? stored : 0;
      const from = this.#weightsFrom[channel] ?? 0;
      const to = this.#weightsTo[channel] ?? 0;
      sum += sample;
      mixed += sample * (from + fade * (to - from));
      energies[channel] = (energies[channel] ?? 0) + sample * sample;
    }
    const average = sum / channels;
    energies[channels] = (energies[channels] ?? 0) + average * average;
    if (++this.#blockFilled === this.#blockFrames) this.#judge();
    return mixed;
  }

  /** At the end of a block: adds its energies up, and chooses what the next one fades to. */
  #judge(): void {
    const { channels } = this;
    const energies = this.#energies;
    let loudest = 0;
    for (let i = 0; i <= channels; i++) {
      energies[i] =
        (energies[i] ?? 0) * (1 - SHARE_OF_BLOCK) + (this.#blockEnergies[i] ?? 0) * SHARE_OF_BLOCK;
      if (i < channels && (energies[i] ?? 0) > (energies[loudest] ?? 0)) loudest = i;
    }
    this.#blockEnergies.fill(0);
    this.#blockFilled = 0;
    this.#weightsFrom.set(this.#weightsTo);
    this.#choice = this.#choose(loudest);
    if (this.#choice === 'average') this.#weightsTo.fill(1 / channels);
    else this.#weightsTo.fill(0).fill(1, this.#choice, this.#choice + 1);
  }

  #choose(loudest: number): Choice {
    const peak = this.#energies[loudest] ?? 0;
    const average = this.#energies[this.channels] ?? 0;
    if (peak === 0) return this.#choice;
    if (this.#choice === 'average') return average < peak * LOST_RATIO ? loudest : 'average';
    if (average > peak * BACK_RATIO) return 'average';
    return peak > (this.#energies[this.#choice] ?? 0) * TAKEOVER_RATIO ? loudest : this.#choice;
  }
}
