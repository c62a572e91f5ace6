import type { Dialect } from '../dialect.js';
import { greetDeepgram } from './credential.js';
import { refuseDeepgram } from './failures.js';
import { FluxConversation } from './flux-conversation.js';

/** Deepgram's API for conversations: docs/clients.md. */
export const deepgramFlux: Dialect = {
  name: 'deepgram-flux',
  claims: ({ path }) => path === '/v2/listen',
  greet: greetDeepgram,
  refuse: refuseDeepgram,
  converse: ({ query }) => new FluxConversation(query),
};
