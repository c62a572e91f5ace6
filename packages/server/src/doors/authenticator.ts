import { timingSafeEqual } from 'node:crypto';
import { type Carrier, credentialOf } from './credentials.js';
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
  readonly #sources: readonly KeySource[];
  readonly #tokens = new Tokens();
  readonly #nowS: () => number;

  /** No sources: everybody may enter. A source without a key lets nobody in. `nowS` is Unix time, seconds. */
  constructor(sources: readonly KeySource[], nowS: () => number) {
    this.#sources = sources;
    this.#nowS = nowS;
  }

  /** False: there are no keys and everybody may enter. */
  get isGuarded(): boolean {
    return this.#sources.length > 0;
  }

  /**
   * Who asks; undefined when nothing good was shown. Digests of equal length are compared, every one of them, so that
   * the time taken tells nothing about a key. A key is not taken from a query: addresses are logged on the way.
   */
  identify(carrier: Carrier): Caller | undefined {
    if (!this.isGuarded) return ANYBODY;
    const credential = credentialOf(carrier);
    if (credential === undefined) return undefined;
    const keys = this.#sources.flatMap((source) => source.keys);
    if (Tokens.isToken(credential.text)) {
      const key = this.#tokens.keyOf(credential.text, keys, this.#nowS());
      return key === undefined ? undefined : { key, isToken: true };
    }
    if (credential.carriage === 'query') return undefined;
    const given = digestOf(credential.text);
    const [key] = keys.filter(({ digest }) => timingSafeEqual(digest, given));
    return key === undefined ? undefined : { key, isToken: false };
  }

  /** A token in the name of that key, good for `lifeS` seconds. */
  mint(key: KnownKey, lifeS: number): MintedToken {
    return this.#tokens.mint(key, { nowS: this.#nowS(), lifeS });
  }
}
