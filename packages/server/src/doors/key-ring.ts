import { timingSafeEqual } from 'node:crypto';
import type { KeySource, KnownKey } from './keys.js';

/** Bytes of a digest under which a key is found. No two keys share them: that would take 2^64 keys. */
export const KEY_MARK_BYTES = 16;

/**
 * The keys of all sources, found by the front of their digest: one look, however many keys there are. Where in the table
 * it looks depends on a hash that nobody can aim, so the time it takes tells nothing about a key.
 */
export class KeyRing {
  readonly #sources: readonly KeySource[];
  #lists: readonly (readonly KnownKey[])[] = [];
  #byMark = new Map<string, KnownKey>();

  constructor(sources: readonly KeySource[]) {
    this.#sources = sources;
  }

  /** The key with that digest, 32 bytes. Compared whole, in constant time. */
  withDigest(digest: Buffer): KnownKey | undefined {
    const key = this.withMark(digest.subarray(0, KEY_MARK_BYTES));
    return key !== undefined && timingSafeEqual(key.digest, digest) ? key : undefined;
  }

  /** The key whose digest begins with these `KEY_MARK_BYTES`. Of two equal keys it is the first. */
  withMark(mark: Buffer): KnownKey | undefined {
    const lists = this.#sources.map(({ keys }) => keys);
    if (lists.length !== this.#lists.length || lists.some((keys, i) => keys !== this.#lists[i])) {
      this.#lists = lists;
      this.#byMark = tableOf(lists.flat());
    }
    return this.#byMark.get(mark.toString('latin1'));
  }
}

function tableOf(keys: readonly KnownKey[]): Map<string, KnownKey> {
  const table = new Map<string, KnownKey>();
  for (const key of keys) {
    const mark = key.digest.toString('latin1', 0, KEY_MARK_BYTES);
    if (!table.has(mark)) table.set(mark, key);
  }
  return table;
}
