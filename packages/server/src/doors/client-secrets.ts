import type { IncomingMessage } from 'node:http';
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
 * says how long it is good for; what else the body holds (a session's settings, at OpenAI) is not looked at.
 */
export function clientSecretsHandler(authenticator: Authenticator, clock: Clock): Handler {
  return async (request, response) => {
    try {
      const key = authenticator.identify(headerCredential(request.headers))?.key;
      if (key === undefined) throw refusal(400, NO_KEYS);
      const { value, expiresAtS } = authenticator.mint(key, await wantedLifeS(request, clock));
      sendJson(response, 200, { value, expires_at: expiresAtS }, { 'cache-control': 'no-store' });
    } catch (error) {
      if (!(error instanceof ServerError) || error.answer === undefined) throw error;
      sendError(response, error.answer);
    }
  };
}

/** Seconds. Throws `ServerError` `request_refused` for a body that asks for something else. */
async function wantedLifeS(request: IncomingMessage, clock: Clock): Promise<number> {
  const { lifeSDefault, lifeSMin, lifeSMax } = TOKEN_LIMITS;
  if (!hasBody(request)) return lifeSDefault;
  const wish = await readJsonBody(request, { clock, limits: TOKEN_LIMITS });
  if (!isObject(wish)) throw refusal(400, BAD_WISH);
  const after = wish['expires_after'] ?? {};
  const seconds = isObject(after) ? (after['seconds'] ?? lifeSDefault) : undefined;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < lifeSMin || seconds > lifeSMax) {
    throw refusal(400, BAD_WISH);
  }
  return seconds;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
