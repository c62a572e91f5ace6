import { headerCredential } from '../../doors/credentials.js';
import type { Dialect } from '../dialect.js';
import { WyomingConversation } from './conversation.js';

/** What a call over TCP asks for, in place of a path: no HTTP request can have it. */
export const WYOMING_PATH = 'wyoming:';

/**
 * Home Assistant's voice protocol: docs/clients.md. `wyoming/` speaks it over TCP; here an event is a text message
 * `{"type", "data"}`, and a binary one behind it is its payload.
 */
export const wyoming: Dialect = {
  name: 'wyoming',
  claims: ({ path }) => path === WYOMING_PATH,
  // The protocol has no keys; who serves it over TCP shows one of its own.
  greet: ({ headers }) => ({ credential: headerCredential(headers), protocol: undefined }),
  refuse: ({ status, message }) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'error', data: { text: message, code: String(status) } }),
  }),
  converse: () => new WyomingConversation(),
};
