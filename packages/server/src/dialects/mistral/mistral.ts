import { credentialOf } from '../../doors/credentials.js';
import type { Dialect } from '../dialect.js';
import { MistralConversation } from './conversation.js';

const PATH = '/v1/audio/transcriptions/realtime';

/** Mistral's realtime transcription: docs/clients.md. */
export const mistral: Dialect = {
  name: 'mistral',
  claims: ({ path }) => path === PATH,
  greet: ({ headers, protocols, query }) => ({
    credential: credentialOf({ authorization: headers['authorization'], protocols, query }),
    protocol: undefined,
  }),
  refuse: ({ status, message }) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      object: 'error',
      message,
      type: 'invalid_request',
      param: null,
      code: String(status),
    }),
  }),
  converse: ({ query }) => new MistralConversation(new URLSearchParams(query).get('model') ?? ''),
};
