import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 bits in base64url: what `newPublisherSecret` makes, and what a publisher may bring along. */
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * Under which key a share is kept: a digest of the reader's secret. Neither secret is stored. A share is found by a
 * piece of the digest, and the rest is compared in constant time.
 */
export interface ShareKey {
  /** Finds the share; says nothing of the secret. */
  readonly id: string;
  readonly digest: Buffer;
}

/** The secret of somebody who publishes; the server forgets it. */
export function newPublisherSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Is it of the form of a secret? Everything else is nobody's. */
export function isSecret(text: unknown): text is string {
  return typeof text === 'string' && SECRET.test(text);
}

/**
 * What is put into a link for readers: derived from the publisher's secret and not the other way round, so that a link
 * stays the same when the publisher comes back to another server, and no reader can publish.
 */
export function readerSecretOf(publisherSecret: string): string {
  return hash('kikitori captions reader', publisherSecret).toString('base64url');
}

/** The key of the share that a reader's secret opens. */
export function shareKeyOf(readerSecret: string): ShareKey {
  const digest = hash('kikitori captions share', readerSecret);
  return { id: digest.subarray(0, 12).toString('base64url'), digest };
}

/** Do both open the same share? In constant time. */
export function isSameKey(one: ShareKey, other: ShareKey): boolean {
  return timingSafeEqual(one.digest, other.digest);
}

function hash(purpose: string, secret: string): Buffer {
  return createHash('sha256').update(`${purpose}\0${secret}`, 'utf8').digest();
}
