import { createHash, randomBytes } from 'node:crypto';
import { ServerError } from '../errors.js';

/** A key as the server knows it: never the key itself. */
export interface KnownKey {
  /** For people and for the key file; no secret. */
  readonly name: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly digest: Buffer;
}

/** Keys that may change while the server runs. */
export interface KeySource {
  /** Those that are good now; asked for at every request. Other keys are another array: each is looked through once. */
  readonly keys: readonly KnownKey[];
  /** False: they may not be those that should be good, because what they stand in cannot be read. */
  readonly isCurrent?: boolean;
}

const KEY_BYTES = 24;

/** A new key: 192 random bits, so that nobody finds it by trying, not even with its hash in hand. */
export function createKey(): string {
  return `kk_${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/**
 * SHA-256, 32 bytes. A slow hash would protect keys that people made up; ours are random, and every request pays.
 */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

/** Keys that stay as they are. Throws `ServerError` `invalid_option` for an empty one. */
export function fixedKeys(keys: readonly string[]): KeySource {
  if (keys.includes('')) {
    throw new ServerError(
      'invalid_option',
      'An API key must not be empty. Leave the option out to have none.',
    );
  }
  return { keys: keys.map((key, i) => ({ name: `key ${i + 1}`, digest: digestOf(key) })) };
}
