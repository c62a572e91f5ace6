import { EngineError } from '@kikitori/engine';

/** What was tried, for the sentence. */
export interface FailureContext {
  /** Such as `the npm package a@1.0.0` or `the hub repository a/b`. */
  readonly subject: string;
  /** The store's folder. */
  readonly root: string;
  /** Where credentials for the source come from, such as `HF_TOKEN`. */
  readonly credential: string;
  /** Where the address of the source comes from, such as `HF_ENDPOINT`. */
  readonly address: string;
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTCACHED',
  'EADDRNOTAVAIL',
]);

const BROKEN_OFF: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_SOCKET_TIMEOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'EIDLETIMEOUT',
  'ECONNECTIONTIMEOUT',
  'EBADSIZE',
  'Z_BUF_ERROR',
  'UND_ERR_SOCKET',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

const UNTRUSTED: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** What was fetched is not what was pinned or announced. Not retryable against the same source. */
export class ChecksumError extends Error {
  override readonly name = 'ChecksumError';
  readonly code = 'EINTEGRITY';
}

/** An answer of a server that is not the one wanted. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';
  readonly code: string;
  readonly status: number;

  constructor(status: number) {
    super('The server answered with an error status.');
    this.status = status;
    this.code = `E${status}`;
  }
}

/** The error codes of an error and its causes, outermost first. */
export function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  let current = error;
  // Causes nest a few levels deep; the bound is against a cycle.
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') codes.push(current.code);
    current = current.cause;
  }
  return codes;
}

/** Is another try in a moment worth it? Unreachable, broken off, overloaded. */
export function isTransient(error: unknown): boolean {
  return codesOf(error).some(
    (code) => BROKEN_OFF.has(code) || UNREACHABLE.has(code) || code === 'E429' || /^E5\d\d$/.test(code),
  );
}

/**
 * The sentence for whatever went wrong while fetching or writing. An `EngineError` stays as it is; the cause is
 * kept for logs.
 */
export function toStoreError(error: unknown, context: FailureContext): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError('model_unavailable', sentenceFor(codesOf(error), context), { cause: error });
}

function sentenceFor(
  codes: readonly string[],
  { subject, root, credential, address }: FailureContext,
): string {
  const has = (...wanted: readonly string[]): boolean => codes.some((code) => wanted.includes(code));
  if (has('ENOSPC', 'EDQUOT')) {
    return `The disk is full: ${subject} does not fit into ${root}. Free some space, or set KIKITORI_HOME to a folder on another disk, and run again.`;
  }
  if (has('EACCES', 'EPERM', 'EROFS', 'ENOTDIR')) {
    return `The model store ${root} cannot be written. Make it writable, or set KIKITORI_HOME to a folder that is, and run again.`;
  }
  if (has('EINTEGRITY', 'TAR_BAD_ARCHIVE', 'Z_DATA_ERROR', 'TAR_ENTRY_INVALID')) {
    return `What came for ${subject} is not what was published: its checksum differs. Nothing of it was kept. Run again, and check ${address} if it happens again.`;
  }
  if (has('E401', 'E403')) {
    return `Access to ${subject} was refused. Check ${credential}.`;
  }
  if (has('E404', 'ETARGET', 'E410', 'ENOVERSIONS')) {
    return `The server has no ${subject.replace(/^the /, '')}. Check ${address}: a mirror may not carry it.`;
  }
  if (codes.some((code) => UNTRUSTED.has(code))) {
    return `The server's certificate is not trusted while fetching ${subject}. Set npm's cafile or NODE_EXTRA_CA_CERTS to your network's certificate.`;
  }
  if (codes.some((code) => UNREACHABLE.has(code))) {
    return `The network is not reachable, so ${subject} could not be fetched. Go online, check the proxy and ${address}, and run again.`;
  }
  if (codes.some((code) => BROKEN_OFF.has(code))) {
    return `The download of ${subject} broke off. Run again to go on.`;
  }
  return `Fetching ${subject} failed. Run again, and check ${address} if it happens again.`;
}
