import { float32ToPcm16, int16ToFloat32, int16ToPcm16, Pcm16Decoder, Resampler } from '@kikitori/audio';
import { SAMPLE_RATE_HZ } from '@kikitori/protocol';

/** Mono audio: floats in -1…1, 16-bit integers, or little-endian PCM16 bytes that may be cut anywhere. */
export type Pcm = Float32Array | Int16Array | Uint8Array;

/** Samples in a piece of audio; half a sample counts as none. */
export function lengthSamples(pcm: Pcm): number {
  return pcm instanceof Uint8Array ? pcm.length >> 1 : pcm.length;
}

/** Turns what callers have into what goes over the wire: PCM16 bytes, mono, 16 kHz. */
export class AudioIntake {
  readonly #sampleRateHz: number;
  #bytes = new Pcm16Decoder();
  #resampler: Resampler | undefined;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
    // Made here so that a rate out of range is an error of `connect`.
    this.#resampler = this.#makeResampler();
  }

  /** What `pcm` completes. A few samples stay behind for the resampler. */
  push(pcm: Pcm): Uint8Array {
    this.#resampler ??= this.#makeResampler();
    // It is what goes over the wire already: through floats it would come out as it went in.
    if (this.#sampleRateHz === SAMPLE_RATE_HZ && pcm instanceof Int16Array) return int16ToPcm16(pcm);
    return float32ToPcm16(this.#resampler.push(this.#floatsOf(pcm)));
  }

  /** The rest of the stream. The next `push` begins a new one. */
  flush(): Uint8Array {
    const rest = this.#resampler?.finish() ?? new Float32Array(0);
    this.#resampler = undefined;
    this.#bytes = new Pcm16Decoder();
    return float32ToPcm16(rest);
  }

  #makeResampler(): Resampler {
    return new Resampler({ inputRateHz: this.#sampleRateHz, outputRateHz: SAMPLE_RATE_HZ });
  }

  #floatsOf(pcm: Pcm): Float32Array {
    if (pcm instanceof Float32Array) return pcm;
    return pcm instanceof Int16Array ? int16ToFloat32(pcm) : this.#bytes.push(pcm);
  }
}
