import { ServerError } from './errors.js';

/** Where somebody wanted to listen, and by which option of the command. */
export interface ListenTarget {
  readonly host: string;
  readonly port: number;
  readonly option: '--port' | '--wyoming';
}

/** Why nobody can listen there, with what to do. */
export function listenError(error: Error, { host, port, option }: ListenTarget): ServerError {
  const cause = { cause: error };
  switch ('code' in error ? error.code : undefined) {
    case 'EADDRINUSE':
      return new ServerError('port_in_use', `Port ${port} is in use; choose another with ${option}.`, cause);
    case 'EACCES':
      return new ServerError(
        'port_forbidden',
        `Port ${port} may not be used by this user; choose one above 1023 with ${option}.`,
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ServerError(
        'address_unavailable',
        `${host} is not an address of this machine; choose another with --host.`,
        cause,
      );
    default:
      return new ServerError('listen_failed', `Could not listen on ${host} port ${port}.`, cause);
  }
}
