import type { ErrorCode } from '@kikitori/protocol';
import type { Fault } from '../session/state.js';

/** The code of our protocol for what goes wrong in a session. */
export const FAULT_CODES: Readonly<Record<Fault, ErrorCode>> = {
  model_not_found: 'model_not_found',
  unsupported_language: 'unsupported_language',
  not_configured: 'model_not_validated',
  buffer_full: 'buffer_full',
  engine_failed: 'processing_error',
  engine_busy: 'engine_busy',
  idle_timeout: 'idle_timeout',
  session_expired: 'session_expired',
  slow_reader: 'slow_reader',
};

/** A client's own text, as far as an error repeats it. */
const ECHO_CHARS_MAX = 64;

/** What a client is told where its dialect has no sentence of its own. */
const SENTENCES: Readonly<Record<Fault, string>> = {
  model_not_found: 'This model is not served.',
  unsupported_language: 'The model does not hear this language.',
  not_configured: 'No model that is served was named.',
  buffer_full: 'Too much audio waits. What did not fit was dropped.',
  engine_failed: 'The recogniser failed. What was being said is lost from here on; the session goes on.',
  engine_busy: 'Every recogniser is taken. Try again later.',
  idle_timeout: 'Nothing came for too long.',
  session_expired: 'The session has lasted as long as one may.',
  slow_reader: 'What was sent was not read.',
};

/** A sentence for people. */
export function faultText(notice: { readonly fault: Fault; readonly detail?: string }): string {
  const { fault, detail } = notice;
  if (detail === undefined) return SENTENCES[fault];
  return fault === 'model_not_found'
    ? `The model ${JSON.stringify(detail.slice(0, ECHO_CHARS_MAX))} is not served.`
    : detail;
}
