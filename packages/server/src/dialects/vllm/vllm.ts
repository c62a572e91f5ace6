import { REALTIME_PROTOCOL } from '@kikitori/protocol';
import { credentialOf } from '../../doors/credentials.js';
import { errorBody } from '../../http/answers.js';
import type { Dialect, Refusal } from '../dialect.js';
import { VllmConversation } from './conversation.js';

/** Where SageMaker's sidecar connects to a container; it delivers text as binary where its client did not declare it. */
const SAGEMAKER_PATH = '/invocations-bidirectional-stream';
const PATHS = ['/v1/realtime', SAGEMAKER_PATH];
const UNAVAILABLE = 503;

/** vLLM's Realtime API with our extension: docs/protocol.md. */
export const vllm: Dialect = {
  name: 'vllm',
  claims: ({ path }) => PATHS.includes(path),
  greet: ({ headers, protocols, query }) => ({
    credential: credentialOf({ authorization: headers['authorization'], protocols, query }),
    // Never the one that holds a credential.
    protocol: protocols.includes(REALTIME_PROTOCOL) ? REALTIME_PROTOCOL : undefined,
  }),
  refuse: (refusal) => ({ headers: { 'content-type': 'application/json' }, body: bodyOf(refusal) }),
  converse: ({ path }) => new VllmConversation({ binaryIsText: path === SAGEMAKER_PATH }),
};

/** vLLM's own for a key that is not good; that of its HTTP routes where a server takes nobody. */
function bodyOf({ status, message }: Refusal): string {
  return status === UNAVAILABLE ? errorBody({ status, message }) : JSON.stringify({ error: message });
}
