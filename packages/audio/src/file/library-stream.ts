/** What a library decoder gives: the facts first, then the sound. Lives in the decoder thread. */
export interface LibraryStream {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** undefined where the file does not say. */
  readonly durationMs: number | undefined;
  /** Interleaved samples; each array is fresh, so that it can be handed to the other thread. */
  readonly blocks: AsyncIterable<Float32Array<ArrayBuffer>>;
  readonly isDamaged: () => boolean;
}

/** One array per channel, as the decoders give it, to one array with the samples taking turns. */
export function interleave(
  planes: readonly Float32Array[],
  from: number,
  to: number,
): Float32Array<ArrayBuffer> {
  const channels = planes.length;
  const out = new Float32Array(Math.max(0, to - from) * channels);
  for (const [channel, plane] of planes.entries()) {
    for (let index = from, at = channel; index < to; index += 1, at += channels) out[at] = plane[index] ?? 0;
  }
  return out;
}
