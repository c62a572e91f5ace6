import type { Clock } from '@kikitori/core';
import { refusal, ServerError } from '../errors.js';
import { sendError, sendJson } from '../http/answers.js';
import { readJsonBody } from '../http/json-body.js';
import { type Handler, hasBody } from '../http/router.js';
import { TOKEN_LIMITS } from '../limits.js';
import type { Authenticator } from './authenticator.js';
import { headerCredential } from './credentials.js';

const NO_KEYS = 'This server has no keys: everybody may connect, and no token is needed.';
const BAD_WISH = `Ask for {"expires_after":{"seconds":60}}, with ${TOKEN_LIMITS.lifeSMin} to ${TOKEN_LIMITS.lifeSMax} seconds, or send no body.`;

/**
 * `POST /v1/realtime/client_secrets`: a token for a browser, in OpenAI's shape. Only a key gets one. `expires_after.seconds`
 * says how long it is good for; what else the body holds is the session that the client will ask for, which is repeated to it and sets
 * nothing. `beta`: `POST /v1/realtime/transcription_sessions`, the same under the names of OpenAI's beta.
 */
export function clientSecretsHandler(
  authenticator: Authenticator,
  clock: Clock,
  { beta = false } = {},
): Handler {
  return async (request, response) => {
    try {
      const key = authenticator.identify(headerCredential(request.headers))?.key;
      if (key === undefined) throw refusal(400, NO_KEYS);
      const wish = hasBody(request) ? await readJsonBody(request, { clock, limits: TOKEN_LIMITS }) : {};
      if (!isObject(wish)) throw refusal(400, BAD_WISH);
      const { value, expiresAtS } = authenticator.mint(key, wantedLifeS(wish));
      const secret = { value, expires_at: expiresAtS };
      const answer = beta ? betaAnswer(wish, secret) : { ...secret, session: sessionOf(wish['session']) };
      sendJson(response, 200, answer, { 'cache-control': 'no-store' });
    } catch (error) {
      if (!(error instanceof ServerError) || error.answer === undefined) throw error;
      sendError(response, error.answer);
    }
  };
}

type Wish = Readonly<Record<string, unknown>>;

/** Seconds. Throws `ServerError` `request_refused` for a body that asks for something else. */
function wantedLifeS(wish: Wish): number {
  const { lifeSDefault, lifeSMin, lifeSMax } = TOKEN_LIMITS;
  const after = wish['expires_after'] ?? {};
  const seconds = isObject(after) ? (after['seconds'] ?? lifeSDefault) : undefined;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < lifeSMin || seconds > lifeSMax) {
    throw refusal(400, BAD_WISH);
  }
  return seconds;
}

function sessionOf(wished: unknown): object {
  return {
    type: 'transcription',
    object: 'realtime.transcription_session',
    ...(isObject(wished) ? wished : {}),
  };
}

function betaAnswer({ expires_after: _, ...session }: Wish, secret: object): object {
  return { object: 'realtime.transcription_session', ...session, client_secret: secret };
}

function isObject(value: unknown): value is Wish {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
