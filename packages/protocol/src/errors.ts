import type { ErrorEvent } from './events/server.js';

/** Codes of `error` events. docs/protocol.md says of each what to do. */
export type ErrorCode =
  // vLLM's.
  /** The message is not JSON. */
  | 'invalid_json'
  /** A field of the event is missing or of the wrong type. */
  | 'invalid_event'
  /** The event's type is not known. */
  | 'unknown_event'
  /** The named model is not served here. */
  | 'model_not_found'
  /** A commit came before a good `session.update`. */
  | 'model_not_validated'
  /** The audio is not base64 of whole 16-bit samples, is empty, or is too long. The chunk was dropped. */
  | 'invalid_audio'
  /** A field did not pass vLLM's schema, or the engine failed: the running utterance gets no `done`. */
  | 'processing_error'
  // Ours.
  /** The language that was named is none, or none that the model hears. */
  | 'unsupported_language'
  /** A binary message came; this dialect is JSON in text messages. */
  | 'invalid_frame'
  /** Longer than `FRAME_BYTES_MAX`. */
  | 'frame_too_large'
  /** Too much audio waits for a `commit`. The chunk was dropped. */
  | 'buffer_full'
  /** The client was silent for too long. */
  | 'idle_timeout'
  /** The session reached its longest duration. */
  | 'session_expired'
  /** Every recogniser is taken. */
  | 'engine_busy'
  /** The client does not read its events. */
  | 'slow_reader';

/** A part of the table that clients need, without its texts. */
const RETRYABLE: readonly ErrorCode[] = ['processing_error', 'buffer_full', 'session_expired', 'engine_busy'];

/** Behind an `error` event with this code, may the same thing work later, without a change? */
export function isRetryableError(code: unknown): boolean {
  return RETRYABLE.some((each) => each === code);
}

/**
 * The one error of this package. `message` is static and safe to log; `wireText` is what the peer is told, may
 * repeat (bounded) what the peer sent, and belongs on the wire only. `ERRORS` says what follows from the code.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  readonly wireText: string;

  constructor(code: ErrorCode, wireText: string) {
    super(`The message is not an event of the dialect: ${code}.`);
    this.code = code;
    this.wireText = wireText;
  }

  /** The event that tells the peer. */
  toEvent(): ErrorEvent {
    return { type: 'error', error: this.wireText, code: this.code };
  }
}
