import { SpeechConverter } from '../speech-converter.js';
import { isMixed, type Lanes } from './channel-wish.js';

export interface LaneConverterOptions {
  /** Samples per second and channel that come in. */
  readonly sampleRateHz: number;
  /** Interleaved channels that come in. */
  readonly channels: number;
  readonly lanes: Lanes;
}

/** One lane: what of a frame is its, and the way of that to the recogniser's rate. */
interface Lane {
  readonly channels: readonly number[];
  readonly converter: SpeechConverter;
}

/**
 * As a `SpeechConverter`, for several lanes at once: interleaved channels at any rate in, interleaved lanes at 16 kHz out.
 * Takes whole frames. Where lanes name channels that are not there (a file that is several, one of them mono) the first lane hears
 * all that there is, and the others silence.
 */
export class LaneConverter {
  readonly #channels: number;
  readonly #lanes: readonly Lane[];
  readonly #isWhole: boolean;

  /** Values out of bounds → `AudioError` `invalid_argument`. */
  constructor({ sampleRateHz, channels, lanes }: LaneConverterOptions) {
    const isThere = lanes.every((lane) => lane.every((channel) => channel < channels));
    this.#channels = channels;
    this.#isWhole = isMixed(lanes, channels);
    const all = Array.from({ length: channels }, (_, channel) => channel);
    this.#lanes = lanes.map((lane, index) => {
      const heard = isThere ? lane : index === 0 ? all : [];
      const converter = new SpeechConverter({ sampleRateHz, channels: Math.max(1, heard.length) });
      return { channels: heard, converter };
    });
  }

  /** The samples that `interleaved` completes; may be none. A fresh array. */
  push(interleaved: Float32Array): Float32Array<ArrayBuffer> {
    return this.#joined(({ channels, converter }) => converter.push(this.#of(interleaved, channels)));
  }

  /** The rest, as if silence followed. Once; then nothing more is taken. */
  finish(): Float32Array<ArrayBuffer> {
    return this.#joined(({ converter }) => converter.finish());
  }

  #of(interleaved: Float32Array, heard: readonly number[]): Float32Array {
    if (this.#isWhole) return interleaved;
    const frames = Math.floor(interleaved.length / this.#channels);
    const width = Math.max(1, heard.length);
    const out = new Float32Array(frames * width);
    for (const [place, channel] of heard.entries()) {
      for (let frame = 0, at = channel; frame < frames; frame += 1, at += this.#channels) {
        out[frame * width + place] = interleaved[at] ?? 0;
      }
    }
    return out;
  }

  /** All lanes have the same rate and the same past, so each gives as many samples as the others. */
  #joined(samplesOf: (lane: Lane) => Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const parts = this.#lanes.map(samplesOf);
    const [first = new Float32Array(0)] = parts;
    if (parts.length === 1) return first;
    const out = new Float32Array(first.length * parts.length);
    for (const [lane, part] of parts.entries()) {
      for (let index = 0, at = lane; index < part.length; index += 1, at += parts.length) {
        out[at] = part[index] ?? 0;
      }
    }
    return out;
  }
}

/** The samples of one lane out of interleaved ones. A fresh array, but for the only lane. */
export function laneOf(interleaved: Float32Array, lane: number, lanes: number): Float32Array {
  if (lanes === 1) return interleaved;
  const out = new Float32Array(Math.floor(interleaved.length / lanes));
  for (let index = 0, at = lane; index < out.length; index += 1, at += lanes)
    out[index] = interleaved[at] ?? 0;
  return out;
}
