import { REALTIME_PROTOCOL } from '@kikitori/protocol';
import { credentialOf } from '../../doors/credentials.js';
import type { Dialect, DialectRequest } from '../dialect.js';
import { membersOf, objectOf, textOf } from '../json-object.js';
import { NimConversation } from './conversation.js';

/** Its own, and where SageMaker's sidecar connects to a container. */
const PATHS = ['/v1/realtime', '/invocations-bidirectional-stream'];

/**
 * NVIDIA NIM's realtime speech recognition (Riva): docs/clients.md. It looks like the beta of OpenAI's and is none: a `commit` follows each
 * piece of audio and ends nothing. Only the members of its first message tell it apart.
 */
export const nim: Dialect = {
  name: 'nim',
  claims: (request) => PATHS.includes(request.path) && isSpoken(request),
  greet: ({ headers, protocols, query }) => ({
    credential: credentialOf({ authorization: headers['authorization'], protocols, query }),
    protocol: protocols.includes(REALTIME_PROTOCOL) ? REALTIME_PROTOCOL : undefined,
  }),
  refuse: ({ message }) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: { message } }),
  }),
  converse: () => new NimConversation(),
};

function isSpoken({ firstMessage }: DialectRequest): boolean {
  const event = firstMessage === undefined ? undefined : objectOf(textOf(firstMessage));
  const session =
    event?.['type'] === 'transcription_session.update' ? membersOf(event['session']) : undefined;
  return session !== undefined && ('input_audio_params' in session || 'recognition_config' in session);
}
