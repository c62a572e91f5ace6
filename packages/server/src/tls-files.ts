import { createPrivateKey, X509Certificate } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from '@kikitori/core';
import { readBoundedFile } from './bounded-file.js';
import { ServerError } from './errors.js';
import { TLS_LIMITS } from './limits.js';

/** Where certificate and key lie, both PEM. */
export interface TlsFiles {
  /** The server's certificate, and behind it those that lead to its root, if any. */
  readonly certFile: string;
  /** Its private key, without a password. */
  readonly keyFile: string;
}

/**
 * Reads both files and checks that they belong together and are good now. TLS below 1.2 is not spoken.
 *
 * @throws ServerError `invalid_option` that says which file is at fault, and never what is in it
 */
export async function readTlsFiles(
  { certFile, keyFile }: TlsFiles,
  unixMs: number,
): Promise<SecureContextOptions> {
  const cert = await read(certFile, 'TLS certificate');
  const key = await read(keyFile, 'TLS key');
  const certificate = parsed(() => new X509Certificate(cert), 'The TLS certificate is not one in PEM.');
  const privateKey = parsed(
    () => createPrivateKey(key),
    'The TLS key is not a private key in PEM without a password.',
  );
  if (!certificate.checkPrivateKey(privateKey))
    throw wrong('The TLS key does not belong to the certificate.');
  if (Date.parse(certificate.validTo) <= unixMs) throw wrong('The TLS certificate has expired; renew it.');
  if (Date.parse(certificate.validFrom) > unixMs) {
    throw wrong('The TLS certificate is not valid yet; check the clock of this machine.');
  }
  return { cert, key, minVersion: 'TLSv1.2' };
}

/**
 * Reads the files again whenever one of them changes, and hands over what they hold; running connections keep what they
 * began with. Files that are wrong then are logged and change nothing. Answers how to stop.
 */
export function watchTlsFiles(
  files: TlsFiles,
  {
    logger,
    unixMs,
    apply,
  }: {
    readonly logger: Logger;
    readonly unixMs: () => number;
    readonly apply: (context: SecureContextOptions) => void;
  },
): () => void {
  const reload = async (): Promise<void> => {
    try {
      apply(await readTlsFiles(files, unixMs()));
      logger.info('The TLS certificate was read again.');
    } catch (error) {
      const reason = error instanceof ServerError ? error.message : 'unknown';
      logger.error('The TLS files are not as they should be; the certificate from before still counts.', {
        reason,
      });
    }
  };
  const onChange = (): void => void reload();
  const paths = [files.certFile, files.keyFile];
  // Asks for the files' time instead of waiting for events: those are lost where a file is replaced or mounted.
  const options = { interval: TLS_LIMITS.watchIntervalMs, persistent: false };
  for (const path of paths) watchFile(path, options, onChange);
  return () => {
    for (const path of paths) unwatchFile(path, onChange);
  };
}

async function read(path: string, what: string): Promise<Buffer> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readBoundedFile(path, TLS_LIMITS.fileBytesMax);
  } catch (cause) {
    throw wrong(`The ${what} cannot be read; check its path and who may read it.`, cause);
  }
  if (bytes === undefined) throw wrong(`The ${what} is too long; is it the right file?`);
  return bytes;
}

function parsed<T>(parse: () => T, message: string): T {
  try {
    return parse();
  } catch {
    // The cause may hold what is in the file.
    throw wrong(message);
  }
}

function wrong(message: string, cause?: unknown): ServerError {
  return new ServerError('invalid_option', message, { cause });
}
