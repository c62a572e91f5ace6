/** Voices that are heard apart. */
export interface SourceLanes {
  /** What each is called: `Channel 1`. At least two. */
  readonly labels: readonly string[];
  /** They were found and not asked for: nothing is labelled until a second one has words. */
  readonly isFound: boolean;
}

/** Speech to be sent: decoded, −1…1, 16 kHz; mono, or interleaved lanes. */
export interface SpeechSource {
  /** Absent: one voice. */
  readonly lanes?: SourceLanes | undefined;
  /** Blocks of any length in order. One consumer, once. */
  readonly samples: AsyncIterable<Float32Array>;
  /** How long it is all together; undefined for a pipe or a microphone. */
  readonly durationMs: number | undefined;
  /** Lets go of the file, the pipe or the device. Idempotent. */
  close(): Promise<void> | void;
}
