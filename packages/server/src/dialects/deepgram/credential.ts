import { credentialOf } from '../../doors/credentials.js';
import type { DialectRequest, Greeting } from '../dialect.js';

/** Subprotocols that say: the next one is the key. */
const SCHEMES = ['token', 'bearer'];

/** `Authorization: Token K`, `Bearer K` or a bare key; browsers offer the subprotocols `token` and K. */
export function greetDeepgram({ headers, protocols }: DialectRequest): Greeting {
  const [first = ''] = protocols;
  return {
    credential: credentialOf({ authorization: headers['authorization'], protocols }),
    // Never the one that is the key.
    protocol: SCHEMES.includes(first.toLowerCase()) ? first : undefined,
  };
}
