/** Speech to be sent: decoded, mono, −1…1, 16 kHz. */
export interface SpeechSource {
  /** Blocks of any length in order. One consumer, once. */
  readonly samples: AsyncIterable<Float32Array>;
  /** How long it is all together; undefined for a pipe or a microphone. */
  readonly durationMs: number | undefined;
  /** Lets go of the file, the pipe or the device. Idempotent. */
  close(): Promise<void> | void;
}
