import { credentialOf } from '../../doors/credentials.js';
import type { Dialect } from '../dialect.js';
import { AssemblyAiConversation } from './conversation.js';

/** AssemblyAI's universal streaming: docs/clients.md. */
export const assemblyAi: Dialect = {
  name: 'assemblyai',
  claims: ({ path }) => path === '/v3/ws',
  greet: ({ headers, protocols, query }) => ({
    credential: credentialOf({ authorization: headers['authorization'], protocols, query }),
    protocol: undefined,
  }),
  refuse: ({ status, message }) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: message, error_code: status }),
  }),
  converse: ({ query }) => new AssemblyAiConversation(query),
};
