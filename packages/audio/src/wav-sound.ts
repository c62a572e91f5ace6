import { decodeSamples } from './pcm-samples.js';
import { contradicting, type WavFormat, type WavReading } from './wav-format.js';
import { chooseLayout, JUDGED_BYTES } from './wav-judge.js';

/** Frames of every layout fit into so many bytes a channel: 24 divides by each size of a sample. */
const ANY_FRAME_BYTES = 24;

/** Bytes of sound to samples. Finds out which of the layouts that a header may mean the samples bear out, and lets silence pass until then. */
export class WavSound {
  readonly #reading: WavReading;
  #format: WavFormat;
  #isSettled: boolean;
  /** Less than a frame; until the layout is settled, what it is settled by. */
  #held: Uint8Array = new Uint8Array(0);
  #lengthFrames = 0;

  constructor(reading: WavReading) {
    const [format] = reading.layouts;
    if (format === undefined) throw contradicting();
    this.#reading = reading;
    this.#format = format;
    this.#isSettled = reading.layouts.length === 1 && !reading.isDoubtful && !format.encoding.startsWith('f');
  }

  /** The likeliest layout until it is settled; rate and channels are the same in all. */
  get format(): WavFormat {
    return this.#format;
  }

  /** Frames given so far. */
  get lengthFrames(): number {
    return this.#lengthFrames;
  }

  /** Adds to `pieces` the samples that `bytes` completes. Throws `file_damaged` where the samples bear no layout out. */
  push(bytes: Uint8Array, pieces: Float32Array<ArrayBuffer>[]): void {
    const held = this.#held;
    let data = bytes;
    if (held.length > 0) {
      data = new Uint8Array(held.length + bytes.length);
      data.set(held);
      data.set(bytes, held.length);
    }
    if (!this.#isSettled) data = this.#passSilence(data, pieces);
    if (this.#isSettled || data.length >= JUDGED_BYTES) this.#decode(data, pieces);
    else this.#held = data.slice();
  }

  /** The sound ends, or is interrupted, here: judges what there is. */
  settle(pieces: Float32Array<ArrayBuffer>[]): void {
    if (!this.#isSettled && this.#held.length > 0) this.#decode(this.#held, pieces);
  }

  /** What is left that is no frame; forgotten here. */
  takeLoose(): Uint8Array {
    const loose = this.#held;
    this.#held = new Uint8Array(0);
    return loose;
  }

  #passSilence(data: Uint8Array, pieces: Float32Array<ArrayBuffer>[]): Uint8Array {
    const unit = ANY_FRAME_BYTES * this.#format.channels;
    const sound = data.findIndex((byte) => byte !== 0);
    const silentBytes = (sound < 0 ? data.length : sound) - ((sound < 0 ? data.length : sound) % unit);
    if (silentBytes === 0) return data;
    this.#give(new Float32Array((silentBytes / this.#format.frameBytes) * this.#format.channels), pieces);
    return data.subarray(silentBytes);
  }

  #decode(data: Uint8Array, pieces: Float32Array<ArrayBuffer>[]): void {
    if (!this.#isSettled) {
      const chosen = chooseLayout(this.#reading, data.subarray(0, JUDGED_BYTES));
      if (chosen === undefined) throw contradicting();
      this.#format = chosen;
      this.#isSettled = true;
    }
    const { frameBytes, encoding, gain } = this.#format;
    const wholeBytes = data.length - (data.length % frameBytes);
    if (wholeBytes > 0) this.#give(decodeSamples(data.subarray(0, wholeBytes), encoding, gain), pieces);
    this.#held = data.slice(wholeBytes);
  }

  #give(samples: Float32Array<ArrayBuffer>, pieces: Float32Array<ArrayBuffer>[]): void {
    pieces.push(samples);
    this.#lengthFrames += samples.length / this.#format.channels;
  }
}
