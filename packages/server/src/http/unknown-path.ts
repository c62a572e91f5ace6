import type { Admission } from '@kikitori/transport';
import type { HttpError } from '../errors.js';
import { errorBody } from './answers.js';

const NO_SESSIONS: HttpError = {
  status: 404,
  message:
    'There are no sessions at this path. They are at /v1/realtime, and for SageMaker at /invocations-bidirectional-stream; docs/server.md has every path that is answered.',
};

/** A handshake where nobody speaks. vLLM's is 403 without a word, which clients take for a key that is not good. */
export const UNKNOWN_PATH: Admission = {
  accept: false,
  status: NO_SESSIONS.status,
  headers: { 'content-type': 'application/json' },
  body: errorBody(NO_SESSIONS),
};
