import { REALTIME_PROTOCOL } from '@kikitori/protocol';
import { credentialOf } from '../../doors/credentials.js';
import type { Dialect, DialectRequest, Refusal } from '../dialect.js';
import { membersOf, objectOf } from '../json-object.js';
import { OpenAiConversation } from './conversation.js';
import { errorObject } from './error-object.js';

const PATH = '/v1/realtime';
const BETA_PROTOCOL = 'openai-beta.realtime-v1';

/**
 * OpenAI's Realtime API, transcription sessions, as of general availability and as in the beta before: docs/clients.md. It shares its
 * path with vLLM's dialect, whose clients name a model where those of this one send a session.
 */
export const openai: Dialect = {
  name: 'openai',
  claims: (request) => request.path === PATH && (isAskedFor(request) || isSpoken(request)),
  greet: ({ headers, protocols, query }) => ({
    credential: credentialOf({ authorization: headers['authorization'], protocols, query }),
    // Never the one that holds a credential.
    protocol: [REALTIME_PROTOCOL, BETA_PROTOCOL].find((each) => protocols.includes(each)),
  }),
  refuse: (refusal) => ({ headers: { 'content-type': 'application/json' }, body: bodyOf(refusal) }),
  converse: (request) =>
    new OpenAiConversation({
      isBeta: isBeta(request),
      model: new URLSearchParams(request.query).get('model') ?? '',
    }),
};

function isAskedFor(request: DialectRequest): boolean {
  return isBeta(request) || new URLSearchParams(request.query).get('intent') === 'transcription';
}

function isSpoken({ firstMessage }: DialectRequest): boolean {
  const event = firstMessage === undefined ? undefined : objectOf(firstMessage);
  return membersOf(event?.['session']) !== undefined;
}

function isBeta({ headers, protocols, firstMessage }: DialectRequest): boolean {
  if (headers['openai-beta']?.includes('realtime=v1') || protocols.includes(BETA_PROTOCOL)) return true;
  return firstMessage !== undefined && objectOf(firstMessage)?.['type'] === 'transcription_session.update';
}

function bodyOf({ status, message }: Refusal): string {
  return JSON.stringify({ error: errorObject(message, status === 401 ? 'invalid_api_key' : null) });
}
