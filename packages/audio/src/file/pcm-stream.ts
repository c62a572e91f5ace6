/** Decoded sound at the file's own rate, before it is mixed down and resampled. */
export interface PcmStream {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** What the header promises; undefined where it does not say. */
  readonly durationMs: number | undefined;
  /** Interleaved samples, whole frames, in order. The array is the reader's to keep. One consumer, once. */
  readonly blocks: AsyncIterable<Float32Array>;
  /** After the last block: was something missing or broken on the way? */
  readonly isDamaged: () => boolean;
}
