import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KnownKey } from './keys.js';

/** A token that was made just now. */
export interface MintedToken {
  /** `ek_…`, 51 characters. A secret for as long as it lives. */
  readonly value: string;
  /** Unix time, seconds. */
  readonly expiresAtS: number;
}

const PREFIX = 'ek_';
const EXPIRY_BYTES = 4;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 8;
const MAC_BYTES = 16;
const BODY_BYTES = EXPIRY_BYTES + KEY_ID_BYTES + NONCE_BYTES;

/**
 * Short-lived tokens: an expiry and the mark of the key that made them, sealed with a secret that this process made at
 * its start and keeps to itself. Nothing is stored, so there is no table to fill; a removed key takes its tokens along,
 * and so does a restart, which for the minute that they live costs one more request.
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
    this.#markOf(key).copy(body, EXPIRY_BYTES);
    randomBytes(NONCE_BYTES).copy(body, EXPIRY_BYTES + KEY_ID_BYTES);
    const value = PREFIX + Buffer.concat([body, this.#seal(body)]).toString('base64url');
    return { value, expiresAtS };
  }

  /** The key that made it; undefined when it is not ours, too old, or its key is gone. Constant time for a given length. */
  keyOf(token: string, keys: readonly KnownKey[], nowS: number): KnownKey | undefined {
    if (!Tokens.isToken(token)) return undefined;
    const text = token.slice(PREFIX.length);
    const bytes = Buffer.from(text, 'base64url');
    // Node passes over what is no base64; only one spelling of a token is the token.
    if (bytes.length !== BODY_BYTES + MAC_BYTES || bytes.toString('base64url') !== text) return undefined;
    const body = bytes.subarray(0, BODY_BYTES);
    if (!timingSafeEqual(this.#seal(body), bytes.subarray(BODY_BYTES))) return undefined;
    if (body.readUInt32BE(0) <= nowS) return undefined;
    const mark = body.subarray(EXPIRY_BYTES, EXPIRY_BYTES + KEY_ID_BYTES);
    return keys.find((key) => timingSafeEqual(this.#markOf(key), mark));
  }

  #seal(body: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update('token').update(body).digest().subarray(0, MAC_BYTES);
  }

  /** Not a part of the key's hash: a key that somebody made up could be found by trying, with that in hand. */
  #markOf({ digest }: KnownKey): Buffer {
    return createHmac('sha256', this.#secret).update('key').update(digest).digest().subarray(0, KEY_ID_BYTES);
  }
}
