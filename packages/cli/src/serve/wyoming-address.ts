import type { WyomingAddress } from '@kikitori/server';
import { CliError } from '../errors.js';

/** Where to speak Wyoming; without a host, at that of the server. */
export type WyomingWish = Pick<WyomingAddress, 'port'> & Partial<WyomingAddress>;

const PORT_MAX = 65_535;

/** Where to speak Wyoming: `10300`, `127.0.0.1:10300`, `[::1]:10300`; throws `CliError` `usage` for anything else. */
export function wyomingAddress(text: string, label: string): WyomingWish {
  const { host, port = '' } =
    /^(?:(?<host>\[[0-9a-f:.]+\]|[^:[\]]+):)?(?<port>\d{1,5})$/i.exec(text)?.groups ?? {};
  const isPort = port !== '' && Number(port) <= PORT_MAX;
  if (!isPort) {
    throw new CliError('usage', `${label} must be a port, or an address and a port, such as 0.0.0.0:10300.`);
  }
  return { ...(host === undefined ? {} : { host }), port: Number(port) };
}
