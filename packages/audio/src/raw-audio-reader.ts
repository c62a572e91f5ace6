import { AudioError } from './errors.js';
import { CHANNELS_MAX, SPEECH_RATE_HZ } from './limits.js';
import { decodeSamples, ENCODING_BYTES, type PcmEncoding } from './pcm-samples.js';
import { float32ToPcm16 } from './pcm16.js';
import { Resampler } from './resampler.js';

/** How raw audio is laid out. */
export interface RawAudioReaderOptions {
  readonly encoding: PcmEncoding;
  /** Samples per second and channel. */
  readonly sampleRateHz: number;
  /** Interleaved; default 1. */
  readonly channels?: number;
}

/**
 * Raw audio of any encoding and rate, cut anywhere, to what a recogniser is sent: 16-bit PCM, little-endian, 16 kHz, each channel for
 * itself. The same bytes come out however the input is cut; a sample that never becomes whole is dropped.
 */
export class RawAudioReader {
  readonly #encoding: PcmEncoding;
  readonly #channels: number;
  readonly #frameBytes: number;
  /** One for each channel; none where the samples are right as they are. */
  readonly #resamplers: readonly Resampler[] | undefined;
  #rest: Uint8Array = new Uint8Array(0);

  /** Values out of bounds → `AudioError` `invalid_argument`. */
  constructor({ encoding, sampleRateHz, channels = 1 }: RawAudioReaderOptions) {
    if (!(Number.isInteger(channels) && channels >= 1 && channels <= CHANNELS_MAX)) {
      throw new AudioError('invalid_argument', `channels is not a whole number from 1 to ${CHANNELS_MAX}.`);
    }
    this.#encoding = encoding;
    this.#channels = channels;
    this.#frameBytes = ENCODING_BYTES[encoding] * channels;
    const isSpeech = encoding === 's16le' && sampleRateHz === SPEECH_RATE_HZ && channels === 1;
    this.#resamplers = isSpeech
      ? undefined
      : Array.from({ length: channels }, () => {
          return new Resampler({ inputRateHz: sampleRateHz, outputRateHz: SPEECH_RATE_HZ });
        });
  }

  /** What the bytes complete, one fresh array for each channel; may be empty. */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const whole = this.#whole(bytes);
    const resamplers = this.#resamplers;
    if (resamplers === undefined) return [whole];
    const interleaved = decodeSamples(whole, this.#encoding);
    return resamplers.map((resampler, channel) => {
      return float32ToPcm16(resampler.push(this.#channelOf(interleaved, channel)));
    });
  }

  /** A fresh array of whole frames; what is left waits for its other half. */
  #whole(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#rest.length === 0 && bytes.length % this.#frameBytes === 0) return bytes.slice();
    const lengthBytes = this.#rest.length + bytes.length;
    const whole = new Uint8Array(lengthBytes - (lengthBytes % this.#frameBytes));
    const head = this.#rest.subarray(0, whole.length);
    whole.set(head);
    whole.set(bytes.subarray(0, whole.length - head.length), head.length);
    const rest = whole.length === 0 ? new Uint8Array([...this.#rest, ...bytes]) : undefined;
    this.#rest = rest ?? bytes.slice(whole.length - head.length);
    return whole;
  }

  #channelOf(interleaved: Float32Array, channel: number): Float32Array {
    if (this.#channels === 1) return interleaved;
    const samples = new Float32Array(interleaved.length / this.#channels);
    for (let frame = 0, at = channel; frame < samples.length; frame += 1, at += this.#channels) {
      samples[frame] = interleaved[at] ?? 0;
    }
    return samples;
  }
}
