import type { TlsFiles } from '@kikitori/server';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { type OwnCertificate, ownCertificate } from './own-certificate.js';

/** The options that say whether a server speaks TLS, and with what. */
export interface TlsWish {
  readonly tlsSelfSigned: boolean;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** Where it listens. */
  readonly host: string;
}

/** The certificate of `--tls-self-signed`. Rejects with `CliError` `usage` where another one is given as well. */
export async function selfSignedOf(
  { tlsSelfSigned, tlsCert, tlsKey, host }: TlsWish,
  { env, clock }: Context,
): Promise<OwnCertificate | undefined> {
  if (!tlsSelfSigned) return undefined;
  if (tlsCert === undefined && tlsKey === undefined) {
    return await ownCertificate(host, { env, unixMs: clock.unixMs() });
  }
  throw new CliError('usage', 'Give either --tls-self-signed, or --tls-cert and --tls-key.');
}

/** The files of `--tls-cert` and `--tls-key`. Throws `CliError` `usage` where one of the two is missing. */
export function tlsOf({ tlsCert, tlsKey }: TlsWish): TlsFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert !== undefined && tlsKey !== undefined) return { certFile: tlsCert, keyFile: tlsKey };
  throw new CliError('usage', 'TLS needs both files: --tls-cert FILE --tls-key FILE.');
}
