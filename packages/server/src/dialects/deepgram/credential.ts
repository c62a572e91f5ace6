import type { Credential } from '../../doors/credentials.js';
import type { DialectRequest, Greeting } from '../dialect.js';

/** Subprotocols that say: the next one is the key. */
const SCHEMES = ['token', 'bearer'];

/** `Authorization: Token K`, `Bearer K` or a bare key; browsers offer the subprotocols `token` and K. */
export function greetDeepgram({ headers, protocols }: DialectRequest): Greeting {
  const scheme = protocols[0]?.toLowerCase() ?? '';
  const isPair = SCHEMES.includes(scheme);
  const carried = isPair ? protocols[1] : undefined;
  return {
    credential:
      headerCredential(headers['authorization']) ??
      (carried === undefined ? undefined : { text: carried, carriage: 'subprotocol' }),
    // Never the one that is the key.
    protocol: isPair ? protocols[0] : undefined,
  };
}

/** With its scheme or without one. */
export function headerCredential(authorization: string | undefined): Credential | undefined {
  const parts = (authorization ?? '').trim().split(' ').filter(Boolean);
  const [first = '', second] = parts;
  if (parts.length === 2 && second !== undefined && SCHEMES.includes(first.toLowerCase())) {
    return { text: second, carriage: 'header' };
  }
  return parts.length === 1 && !SCHEMES.includes(first.toLowerCase())
    ? { text: first, carriage: 'header' }
    : undefined;
}
