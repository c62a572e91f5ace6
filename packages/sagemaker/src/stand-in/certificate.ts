import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** A certificate of the caller's own, both parts in PEM. */
export interface GivenCertificate {
  /** The server's certificate, and those that lead to its root, if any. */
  readonly certificate: string;
  readonly key: string;
}

/** What the TLS server presents, and what its clients trust. */
export interface ServerCertificate {
  readonly certificate: string;
  /** Stays in memory: it is never written to a file. */
  readonly key: string;
  /** What a client has to trust, PEM. Absent for a given certificate: its owner knows. */
  readonly authority: string | undefined;
  /** File with `authority`, readable by everybody it is shown to. Absent for a given certificate. */
  readonly authorityPath: string | undefined;
  /** Removes what was written to a temporary folder; a path that was asked for stays. Idempotent. */
  remove(): Promise<void>;
}

/** What a made certificate is for. */
export interface CertificateRequest {
  /** The address that is listened on; localhost, 127.0.0.1 and ::1 are always in the certificate. */
  readonly host: string;
  /** More names, for clients that know only AWS's. Default: none. */
  readonly names?: readonly string[];
  /** Where to write what clients trust. Default: a new folder below the system's temporary one. */
  readonly path?: string | undefined;
}

const HOUR_MS = 3_600_000;
const LIFE_MS = 365 * 24 * HOUR_MS;
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];
// Wildcard addresses are no names that anybody connects to.
const NOT_NAMES = new Set(['0.0.0.0', '::', ...LOCAL_NAMES]);

/** A certificate with its key, and what its clients trust, all in PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** For whom a certificate is, and for how long. */
export interface IssueRequest {
  /** Host names and addresses. */
  readonly names: readonly string[];
  /** What people see in a list of authorities. */
  readonly authorityName: string;
  readonly lifeMs: number;
}

/**
 * Makes an authority and, signed by it, a certificate. Two of them, because some TLS stacks refuse a server that presents its own
 * authority. The authority's key is forgotten at once, so nothing else can be signed.
 */
export async function issueCertificate(request: IssueRequest): Promise<IssuedCertificate> {
  const nowMs = Date.now();
  const shared = {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // An hour of grace for clients whose clock is behind.
    notBeforeDate: new Date(nowMs - HOUR_MS),
    notAfterDate: new Date(nowMs + request.lifeMs),
  } as const;
  const authority = await generate([{ name: 'commonName', value: request.authorityName }], {
    ...shared,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...shared,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: request.names.map(altName) },
    ],
  });
  return { certificate: server.cert, key: server.private, authority: authority.cert };
}

/** A certificate for this machine, to be used until the process ends. */
export async function makeCertificate({
  host,
  names = [],
  path,
}: CertificateRequest): Promise<ServerCertificate> {
  const issued = await issueCertificate({
    names: [...new Set([...LOCAL_NAMES, ...(NOT_NAMES.has(host) ? [] : [host]), ...names])],
    authorityName: 'Kikitori local authority',
    lifeMs: LIFE_MS,
  });
  const { authorityPath, remove } = await writeAuthority(issued.authority, path);
  return { ...issued, authorityPath, remove };
}

/** The caller's own, as the listener wants it. */
export function useCertificate({ certificate, key }: GivenCertificate): ServerCertificate {
  return { certificate, key, authority: undefined, authorityPath: undefined, remove: async () => undefined };
}

function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name };
}

async function writeAuthority(
  pem: string,
  path: string | undefined,
): Promise<{ readonly authorityPath: string; remove(): Promise<void> }> {
  if (path !== undefined) {
    await writeFile(path, pem, { mode: 0o644 });
    return { authorityPath: path, remove: async () => undefined };
  }
  const folder = await mkdtemp(join(tmpdir(), 'kikitori-sagemaker-'));
  const authorityPath = join(folder, 'authority.pem');
  await writeFile(authorityPath, pem, { mode: 0o644 });
  return { authorityPath, remove: () => rm(folder, { recursive: true, force: true }) };
}
