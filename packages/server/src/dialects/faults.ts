import { ERRORS, type ErrorCode, modelNotFound } from '@kikitori/protocol';
import type { Fault, Notice } from '../session/state.js';

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

/** A sentence for people. */
export function faultText({ fault, detail }: Extract<Notice, { readonly type: 'fault' }>): string {
  if (detail === undefined) return ERRORS[FAULT_CODES[fault]].text;
  return fault === 'model_not_found' ? modelNotFound(detail).wireText : detail;
}
