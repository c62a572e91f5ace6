import { isLoopback } from '@kikitori/transport/doors';
import { ServerError } from './errors.js';

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
