import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { KEY_MARK_BYTES, type KeyRing } from './key-ring.js';
import type { KnownKey } from './keys.js';

/** A token that was made just now. */
export interface MintedToken {
  /** `ek_…`, 67 characters. A secret for as long as it lives. */
  readonly value: string;
  /** Unix time, seconds. */
  readonly expiresAtS: number;
}

const PREFIX = 'ek_';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const EXPIRY_BYTES = 4;
const BODY_BYTES = EXPIRY_BYTES + KEY_MARK_BYTES;
const SEAL_BYTES = 16;

/**
 * Short-lived tokens: an expiry and the mark of the key that made them, encrypted and sealed with a secret that this
 * process made at its start and keeps to itself. Nothing is stored, so there is no table to fill; a removed key takes its
 * tokens along, and so does a restart, which for the minute that they live costs one more request. The mark is a part of
 * the key's hash, by which the key is found at once, and nobody else sees it: a key that somebody made up could be found
 * by trying, with that in hand.
 */
export class Tokens {
  readonly #secret = randomBytes(32);

  /** Looks like one of ours; says nothing about whether it is good. */
  static isToken(text: string): boolean {
    return text.startsWith(PREFIX);
  }

  mint(key: KnownKey, { nowS, lifeS }: { readonly nowS: number; readonly lifeS: number }): MintedToken {
    const body = Buffer.alloc(BODY_BYTES);
    const expiresAtS = nowS + lifeS;
    body.writeUInt32BE(expiresAtS, 0);
    key.digest.copy(body, EXPIRY_BYTES, 0, KEY_MARK_BYTES);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#secret, nonce, { authTagLength: SEAL_BYTES });
    const sealed = [nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()];
    return { value: PREFIX + Buffer.concat(sealed).toString('base64url'), expiresAtS };
  }

  /** The key that made it; undefined when it is not ours, too old, or its key is gone. Constant time for a given length. */
  keyOf(token: string, keys: KeyRing, nowS: number): KnownKey | undefined {
    if (!Tokens.isToken(token)) return undefined;
    const text = token.slice(PREFIX.length);
    const bytes = Buffer.from(text, 'base64url');
    // Node passes over what is no base64; only one spelling of a token is the token.
    if (bytes.length !== NONCE_BYTES + BODY_BYTES + SEAL_BYTES || bytes.toString('base64url') !== text) {
      return undefined;
    }
    const body = this.#opened(bytes);
    if (body === undefined || body.readUInt32BE(0) <= nowS) return undefined;
    return keys.withMark(body.subarray(EXPIRY_BYTES));
  }

  /** What is inside; undefined when this process did not seal it. */
  #opened(bytes: Buffer): Buffer | undefined {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, this.#secret, nonce, { authTagLength: SEAL_BYTES });
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES + BODY_BYTES));
    const body = decipher.update(bytes.subarray(NONCE_BYTES, NONCE_BYTES + BODY_BYTES));
    try {
      decipher.final();
      return body;
    } catch {
      // The seal does not fit; Node says so with an error that says no more.
      return undefined;
    }
  }
}
