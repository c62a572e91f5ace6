import { Downmixer } from './downmix.js';
import { SPEECH_RATE_HZ } from './limits.js';
import { Resampler } from './resampler.js';

export interface SpeechConverterOptions {
  /** Samples per second and channel that come in. */
  readonly sampleRateHz: number;
  /** Interleaved channels that come in; default 1. */
  readonly channels?: number;
  /** Samples per second that go out; default SPEECH_RATE_HZ. */
  readonly outputRateHz?: number;
}

/**
 * Any rate and any number of channels to what a recogniser hears: mono, 16 kHz. A `Downmixer` and a `Resampler` in a row,
 * with their guarantees and errors: same bits however the input is cut, no shift in time, nothing clipped.
 */
export class SpeechConverter {
  readonly #downmixer: Downmixer | undefined;
  readonly #resampler: Resampler;

  /** Values out of bounds → `AudioError` `invalid_argument`. */
  constructor(options: SpeechConverterOptions) {
    const { sampleRateHz, channels = 1, outputRateHz = SPEECH_RATE_HZ } = options;
    this.#resampler = new Resampler({ inputRateHz: sampleRateHz, outputRateHz });
    this.#downmixer = channels === 1 ? undefined : new Downmixer({ channels, sampleRateHz });
  }

  /** The samples that `interleaved` completes; may be none. A fresh array. */
  push(interleaved: Float32Array): Float32Array<ArrayBuffer> {
    return this.#resampler.push(this.#downmixer?.push(interleaved) ?? interleaved);
  }

  /** The rest, as if silence followed. Once; then nothing more is taken. */
  finish(): Float32Array<ArrayBuffer> {
    return this.#resampler.finish();
  }
}
