import { AudioError } from './errors.js';
import { FRAME_SAMPLES_MAX } from './limits.js';

/**
 * Cuts a stream of samples into frames of one length, whatever the lengths they arrive in: 80 ms frames for the wire,
 * 512-sample windows for a voice detector. Holds less than one frame.
 */
export class Framer {
  readonly frameSamples: number;
  #frame: Float32Array<ArrayBuffer>;
  #filled = 0;

  /** `frameSamples`: 1…FRAME_SAMPLES_MAX, else `AudioError` `invalid_argument`. */
  constructor(frameSamples: number) {
    if (!Number.isInteger(frameSamples) || frameSamples < 1 || frameSamples > FRAME_SAMPLES_MAX) {
      throw new AudioError('invalid_argument', 'A frame has a whole number of samples, at least one.');
    }
    this.frameSamples = frameSamples;
    this.#frame = new Float32Array(frameSamples);
  }

  /** Samples that wait for a full frame: 0…frameSamples − 1. */
  get pendingSamples(): number {
    return this.#filled;
  }

  /** The frames that `samples` completes, in order; each is a fresh array that the caller owns. */
  push(samples: Float32Array): Float32Array<ArrayBuffer>[] {
    const frames: Float32Array<ArrayBuffer>[] = [];
    let offset = 0;
    while (offset < samples.length) {
      const taken = Math.min(samples.length - offset, this.frameSamples - this.#filled);
      this.#frame.set(samples.subarray(offset, offset + taken), this.#filled);
      this.#filled += taken;
      offset += taken;
      if (this.#filled === this.frameSamples) {
        frames.push(this.#frame);
        this.#frame = new Float32Array(this.frameSamples);
        this.#filled = 0;
      }
    }
    return frames;
  }

  /** The rest, shorter than a frame and not padded; `undefined` when there is none. The framer is then empty and usable. */
  flush(): Float32Array<ArrayBuffer> | undefined {
    if (this.#filled === 0) return undefined;
    const rest = this.#frame.slice(0, this.#filled);
    this.#filled = 0;
    return rest;
  }
}
