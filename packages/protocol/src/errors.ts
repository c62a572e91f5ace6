import type { CloseCode } from './close-codes.js';
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

/** What an error code leads to. */
export interface ErrorRow {
  readonly origin: 'vllm' | 'kikitori';
  /** Close code that follows the event, or null: the session lives on. */
  readonly closeCode: CloseCode | null;
  /** May the same thing work later, without a change? */
  readonly retryable: boolean;
  /** Static text: of the exception always, of the wire where the cause has no more exact one. */
  readonly text: string;
}

/** Every error code: where it comes from, what follows, and its static text. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = {
  invalid_json: { origin: 'vllm', closeCode: null, retryable: false, text: 'Invalid JSON' },
  invalid_event: { origin: 'vllm', closeCode: null, retryable: false, text: 'Invalid event' },
  unknown_event: { origin: 'vllm', closeCode: null, retryable: false, text: 'Unknown event type' },
  model_not_found: { origin: 'vllm', closeCode: null, retryable: false, text: 'The model does not exist.' },
  model_not_validated: {
    origin: 'vllm',
    closeCode: null,
    retryable: false,
    text: 'Model not validated. Make sure to validate the model by sending a session.update event.',
  },
  invalid_audio: { origin: 'vllm', closeCode: null, retryable: false, text: 'Invalid audio data' },
  processing_error: {
    origin: 'vllm',
    closeCode: null,
    retryable: true,
    text: 'The event or the utterance could not be processed.',
  },
  invalid_frame: {
    origin: 'kikitori',
    closeCode: null,
    retryable: false,
    text: 'Binary messages are not understood: send JSON in text messages.',
  },
  frame_too_large: {
    origin: 'kikitori',
    closeCode: 1009,
    retryable: false,
    text: 'The message is longer than 16 MiB: send the audio in smaller parts.',
  },
  buffer_full: {
    origin: 'kikitori',
    closeCode: null,
    retryable: true,
    text: 'Too much audio waits to be transcribed: send input_audio_buffer.commit, or send more slowly.',
  },
  idle_timeout: {
    origin: 'kikitori',
    closeCode: 1000,
    retryable: false,
    text: 'Nothing was received for too long: connect again when there is audio.',
  },
  session_expired: {
    origin: 'kikitori',
    closeCode: 1000,
    retryable: true,
    text: 'The session reached its longest duration: connect again to go on.',
  },
  engine_busy: {
    origin: 'kikitori',
    closeCode: 1013,
    retryable: true,
    text: 'Every recogniser of this server is taken: try again later.',
  },
  slow_reader: {
    origin: 'kikitori',
    closeCode: 1008,
    retryable: false,
    text: 'Events were not read for too long: read them while sending.',
  },
};

/** Is it a code of the table? Codes of other servers may not be. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/**
 * The one error of this package. `message` is static and safe to log; `wireText` is what the peer is told, may
 * repeat (bounded) what the peer sent, and belongs on the wire only.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  readonly wireText: string;

  constructor(code: ErrorCode, wireText?: string, options?: { readonly cause?: unknown }) {
    super(ERRORS[code].text, options);
    this.code = code;
    this.wireText = wireText ?? ERRORS[code].text;
  }

  /** Close code that follows, or null: the session lives on. */
  get closeCode(): CloseCode | null {
    return ERRORS[this.code].closeCode;
  }

  /** May the same thing work later, without a change? */
  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /** The event that tells the peer. */
  toEvent(): ErrorEvent {
    return { type: 'error', error: this.wireText, code: this.code };
  }
}
