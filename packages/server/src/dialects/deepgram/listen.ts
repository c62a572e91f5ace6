import type { Dialect } from '../dialect.js';
import { greetDeepgram } from './credential.js';
import { refuseDeepgram } from './failures.js';
import { ListenConversation } from './listen-conversation.js';

/** Deepgram's streaming API: docs/clients.md. */
export const deepgramListen: Dialect = {
  name: 'deepgram',
  claims: ({ path }) => path === '/v1/listen',
  greet: greetDeepgram,
  refuse: refuseDeepgram,
  converse: ({ query }) => new ListenConversation(query),
};
