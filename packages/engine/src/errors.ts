/** Why an engine could not do what it was asked. Callers match the code, never the message. */
export type EngineErrorCode =
  /** Every slot is taken; a later try may succeed. */
  | 'engine_busy'
  /** The engine or the stream was closed. */
  | 'engine_closed'
  /** The thread that decodes died; the stream is lost, a new one works. */
  | 'engine_worker_lost'
  /** The model files are missing, damaged or of another kind. */
  | 'model_invalid'
  /** The model could not be fetched: offline, disk full, wrong checksum. */
  | 'model_unavailable'
  /** A bug of ours: the stream ended, the process lives on. */
  | 'engine_internal';

/** For each code: is it worth trying again? */
export const ENGINE_ERRORS: Readonly<Record<EngineErrorCode, { readonly retryable: boolean }>> = {
  engine_busy: { retryable: true },
  engine_closed: { retryable: false },
  engine_worker_lost: { retryable: true },
  model_invalid: { retryable: false },
  model_unavailable: { retryable: true },
  engine_internal: { retryable: false },
};

/** The one error of this package. The message is a static sentence: no audio, no transcript. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
