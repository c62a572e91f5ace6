import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { reachableHosts, type TlsFiles } from '@kikitori/server';
import type { Environment } from '../context.js';
import { CliError } from '../errors.js';
import { CERTIFICATE_LEFT_MS_MIN, CERTIFICATE_LIFE_MS } from '../limits.js';
import { replaceFile } from '../replaced-file.js';

/** A certificate that this machine has made for itself. */
export interface OwnCertificate {
  /** Certificate and key lie in one file, so that nobody ever sees one without the other. */
  readonly files: TlsFiles;
  /** SHA-256 of the certificate, as browsers show it. */
  readonly fingerprint: string;
  /** What other programs and devices may be told to trust, PEM; its key is nowhere. */
  readonly authorityFile: string;
}

/**
 * The certificate for `--tls-self-signed`: for this host, its names and its addresses. It is made once and used again as long as it is
 * good for all of them, so that whoever has accepted it is not asked each time. Rejects with `CliError` `bad_input` where it cannot be kept.
 */
export async function ownCertificate(
  host: string,
  { env, unixMs }: { readonly env: Environment; readonly unixMs: number },
): Promise<OwnCertificate> {
  const { homeFolder, storeRoot } = await import('@kikitori/engine-local');
  const root = storeRoot({ env, platform: process.platform, home: homeFolder(env) });
  const path = join(root, 'tls', 'self-signed.pem');
  const names = namesOf(host);
  const kept = await readKept(path);
  const isGood = kept !== undefined && isGoodFor(kept, names, unixMs);
  const authorityFile = join(dirname(path), 'authority.pem');
  const { fingerprint256: fingerprint } = isGood ? kept : await make(path, authorityFile, names);
  return { files: { certFile: path, keyFile: path }, fingerprint, authorityFile };
}

/** How this machine may be called, by itself and by others. */
export function namesOf(host: string, ownName = hostname()): readonly string[] {
  const plain = (name: string): string => name.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const own = plain(ownName);
  // By this name phones and computers of the same network find it without a name server.
  const named = /^[a-z0-9-]+$/.test(own) ? [own, `${own}.local`] : [own];
  const names = ['localhost', '127.0.0.1', '::1', ...named, ...reachableHosts(host).map(plain)];
  return [...new Set(names)].filter((name) => isIP(name) !== 0 || /^[a-z0-9][a-z0-9.-]{0,252}$/.test(name));
}

async function readKept(path: string): Promise<X509Certificate | undefined> {
  try {
    const pem = await readFile(path);
    const certificate = new X509Certificate(pem);
    return certificate.checkPrivateKey(createPrivateKey(pem)) ? certificate : undefined;
  } catch {
    // Not there, or damaged: another one is made.
    return undefined;
  }
}

function isGoodFor(certificate: X509Certificate, names: readonly string[], unixMs: number): boolean {
  const leftMs = Date.parse(certificate.validTo) - unixMs;
  const isNow = Date.parse(certificate.validFrom) <= unixMs && leftMs > CERTIFICATE_LEFT_MS_MIN;
  const covers = (name: string): boolean =>
    (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  return isNow && names.every(covers);
}

async function make(path: string, authorityFile: string, names: readonly string[]): Promise<X509Certificate> {
  const { issueCertificate } = await import('@kikitori/sagemaker/stand-in');
  const { makeFolder } = await import('@kikitori/engine-local');
  const { certificate, key, authority } = await issueCertificate({
    names,
    authorityName: `Kikitori on ${hostname()}`,
    lifeMs: CERTIFICATE_LIFE_MS,
  });
  try {
    await makeFolder(dirname(path), 0o700);
    await replaceFile(authorityFile, authority);
    await replaceFile(path, [certificate, authority, key].map((pem) => `${pem.trim()}\n`).join(''));
  } catch (cause) {
    throw new CliError(
      'bad_input',
      `The certificate cannot be written to ${path}; make that folder writable, or set KIKITORI_HOME to one that is.`,
      { cause },
    );
  }
  return new X509Certificate(certificate);
}
