import type { CloseCode } from './close-codes.js';
import type { ErrorCode } from './errors.js';

/** What an error code leads to. */
export interface ErrorRow {
  readonly origin: 'vllm' | 'kikitori';
  /** Close code that follows the event, or null: the session lives on. */
  readonly closeCode: CloseCode | null;
  /** May the same thing work later, without a change? The same as `isRetryableError`. */
  readonly retryable: boolean;
  /** Static text for the wire, where the cause has no more exact one. */
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
  unsupported_language: {
    origin: 'kikitori',
    closeCode: null,
    retryable: false,
    text: 'The model does not hear this language.',
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
    text: 'Too much audio waits, so the rest of this utterance is dropped: send input_audio_buffer.commit before the audio.',
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
