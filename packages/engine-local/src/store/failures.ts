import { codesOf, isBrokenOff, isUnreachable, proxySentence } from '@kikitori/core/hub';
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

/** Of what the file system says when a folder or a file cannot be made or written where the store is. */
export const UNWRITABLE: readonly string[] = [
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  // Of a folder that takes no other (`/proc`), or leads nowhere.
  'ENOENT',
  'EEXIST',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EIO',
];

/** What is there and may not be read, or cannot be: somebody else's model is no missing one. */
export function unreadableStore(path: string, cause: unknown): EngineError {
  const message = `The model store cannot be read: ${path}. Make it readable for this user, or set KIKITORI_HOME to another folder.`;
  return new EngineError('model_unavailable', message, { cause });
}

/**
 * The sentence for whatever went wrong while fetching or writing. An `EngineError` stays as it is; the cause is
 * kept for logs.
 */
export function toStoreError(error: unknown, context: FailureContext): EngineError {
  if (error instanceof EngineError) return error;
  const sentence = proxySentence(error) ?? sentenceFor(codesOf(error), context);
  return new EngineError('model_unavailable', sentence, { cause: error });
}

function sentenceFor(
  codes: readonly string[],
  { subject, root, credential, address }: FailureContext,
): string {
  const has = (...wanted: readonly string[]): boolean => codes.some((code) => wanted.includes(code));
  if (has('ENOSPC', 'EDQUOT')) {
    return `The disk is full: ${subject} does not fit into ${root}. Free some space, or set KIKITORI_HOME to a folder on another disk, and run again.`;
  }
  if (has(...UNWRITABLE)) {
    return `The model store ${root} cannot be written. Make it writable, or set KIKITORI_HOME to a folder that is, and run again.`;
  }
  if (has('EINTEGRITY', 'TAR_BAD_ARCHIVE', 'Z_DATA_ERROR', 'TAR_ENTRY_INVALID')) {
    return `What came for ${subject} is not what was published: its checksum differs. Nothing of it was kept. Run again, and check ${address} if it happens again.`;
  }
  if (has('E407')) {
    return `The proxy on the way to ${subject} wants to know who asks (HTTP 407). Write a name and a password into its address, http://NAME:PASSWORD@HOST:PORT, in HTTPS_PROXY or your npm configuration, and run again.`;
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
  if (isUnreachable(codes)) {
    return `The network is not reachable, so ${subject} could not be fetched. Go online, check the proxy and ${address}, and run again.`;
  }
  if (isBrokenOff(codes)) {
    return `The download of ${subject} broke off. Run again to go on.`;
  }
  return `Fetching ${subject} failed. Run again, and check ${address} if it happens again.`;
}
