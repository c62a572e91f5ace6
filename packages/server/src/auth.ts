import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { ServerError } from './errors.js';

/** Decides whether an `Authorization` header opens the door. */
export interface Authenticator {
  /** False: there is no key and everybody may enter. */
  readonly isGuarded: boolean;
  allows(authorization: string | undefined): boolean;
}

/** The keys of a server's options as a list. */
export function keysOf({ apiKey = [] }: { readonly apiKey?: string | readonly string[] }): readonly string[] {
  return typeof apiKey === 'string' ? [apiKey] : apiKey;
}

/**
 * Bearer tokens as vLLM checks them: the scheme in any case, several keys allowed. Digests of equal length are
 * compared, every one of them, so that the time taken tells nothing about a key.
 *
 * @throws ServerError `invalid_option` for an empty key
 */
export function createAuthenticator(apiKeys: readonly string[]): Authenticator {
  if (apiKeys.some((key) => key === '')) {
    throw new ServerError(
      'invalid_option',
      'An API key must not be empty. Leave the option out to have none.',
    );
  }
  const known = apiKeys.map(digestOf);
  return {
    isGuarded: known.length > 0,
    allows: (authorization) => {
      if (known.length === 0) return true;
      const [, token] = /^bearer +(.+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) return false;
      const given = digestOf(token);
      return known.map((digest) => timingSafeEqual(digest, given)).includes(true);
    },
  };
}

/** Where a server is about to listen. */
export interface ListenChoice {
  readonly host: string;
  /** A key is set. */
  readonly isGuarded: boolean;
  /** The user said that the network is trusted. */
  readonly insecure: boolean;
}

/**
 * Refuses to open a server without a key to other machines.
 *
 * @throws ServerError `unsafe_address`
 */
export function assertSafeToListen({ host, isGuarded, insecure }: ListenChoice): void {
  if (isGuarded || insecure || isLoopback(host)) return;
  throw new ServerError(
    'unsafe_address',
    `Without an API key everybody who reaches ${host} could use this server. Set --api-key, listen on 127.0.0.1, or say --insecure if you trust the network.`,
  );
}

/** Is it an address that only this machine reaches? Names other than `localhost` are not looked up and count as public. */
export function isLoopback(host: string): boolean {
  const address = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (address === 'localhost' || address === '::1') return true;
  const v4 = address.replace(/^::ffff:/, '');
  return isIP(v4) === 4 && v4.startsWith('127.');
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
