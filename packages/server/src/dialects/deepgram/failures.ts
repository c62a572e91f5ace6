import { randomUUID } from 'node:crypto';
import type { Fault, SessionInput } from '../../session/state.js';
import type { Refusal, RefusalAnswer } from '../dialect.js';

/** Deepgram's names for what goes wrong in a session. */
export const FAULT_NAMES: Readonly<Record<Fault, string>> = {
  model_not_found: 'INVALID_MODEL',
  unsupported_language: 'UNSUPPORTED_LANGUAGE',
  not_configured: 'INVALID_MODEL',
  buffer_full: 'BUFFER_FULL',
  engine_failed: 'INTERNAL_SERVER_ERROR',
  engine_busy: 'TOO_MANY_REQUESTS',
  idle_timeout: 'NET-0001',
  session_expired: 'SESSION_EXPIRED',
  slow_reader: 'SLOW_READER',
};

const POLICY_VIOLATION = 1008;

const NAMES: Readonly<Record<number, string>> = {
  401: 'INVALID_AUTH',
  403: 'INSUFFICIENT_PERMISSIONS',
  408: 'SLOW_UPLOAD',
  413: 'PAYLOAD_TOO_LARGE',
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
};

/** A request or a handshake that is not let in. */
export function refuseDeepgram({ status, message }: Refusal): RefusalAnswer {
  return failureAnswer({ status, message }, randomUUID());
}

/** The answer to a request that failed; `code`: Deepgram's name where the status does not say it. */
export function failureAnswer({ status, message }: Refusal, requestId: string, code?: string): RefusalAnswer {
  const body = { err_code: code ?? NAMES[status] ?? 'Bad Request', err_msg: message, request_id: requestId };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** What cannot be served: it is said why, and then the connection is closed. */
export function refusedInput(code: 'bad_query' | 'container', text: string): SessionInput {
  return {
    type: 'invalid',
    problem: { code, text, closing: { code: POLICY_VIOLATION, reason: 'Bad request.' } },
  };
}
