import type { Credential } from './credentials.js';
import { KeyRing } from './key-ring.js';
import { digestOf, type KeySource, type KnownKey } from './keys.js';
import { type MintedToken, Tokens } from './tokens.js';

/** Somebody who was let in. */
export interface Caller {
  /** Whose limits count; undefined: there are no keys, everybody may enter. */
  readonly key: KnownKey | undefined;
  /** A token opens sessions and what the page needs; it makes no other tokens and reads no metrics. */
  readonly isToken: boolean;
}

const ANYBODY: Caller = { key: undefined, isToken: false };

/** Decides who may enter, by keys and by tokens that keys made. */
export class Authenticator {
  readonly #keys: KeyRing;
  readonly #tokens = new Tokens();
  readonly #nowS: () => number;

  /** False: there are no keys and everybody may enter. */
  readonly isGuarded: boolean;

  /** No sources: everybody may enter. A source without a key lets nobody in. `nowS` is Unix time, seconds. */
  constructor(sources: readonly KeySource[], nowS: () => number) {
    this.isGuarded = sources.length > 0;
    this.#keys = new KeyRing(sources);
    this.#nowS = nowS;
  }

  /**
   * Who asks; undefined when nothing good was shown. Costs the same with one key and with ten thousand. A key is not taken
   * from a query: addresses are logged on the way.
   */
  identify(credential: Credential | undefined): Caller | undefined {
    if (!this.isGuarded) return ANYBODY;
    if (credential === undefined) return undefined;
    if (Tokens.isToken(credential.text)) {
      const key = this.#tokens.keyOf(credential.text, this.#keys, this.#nowS());
      return key === undefined ? undefined : { key, isToken: true };
    }
    if (credential.carriage === 'query') return undefined;
    const key = this.#keys.withDigest(digestOf(credential.text));
    return key === undefined ? undefined : { key, isToken: false };
  }

  /** A token in the name of that key, good for `lifeS` seconds. */
  mint(key: KnownKey, lifeS: number): MintedToken {
    return this.#tokens.mint(key, { nowS: this.#nowS(), lifeS });
  }
}
