import type { Clock } from '@kikitori/core';
import type { CaptionsLimits } from '../limits.js';
import type { CaptionMetrics } from './caption-metrics.js';
import type { CaptionReader, CaptionSink } from './caption-reader.js';
import { CaptionShare } from './caption-share.js';
import { isSameKey, readerSecretOf, type ShareKey, shareKeyOf } from './share-secret.js';

/** What a hub needs. */
export interface CaptionsHubOptions {
  readonly clock: Clock;
  readonly limits: CaptionsLimits;
  readonly metrics: CaptionMetrics;
}

/** Who wants to share, and what. */
export interface OpenShare {
  readonly publisherSecret: string;
  readonly session: string;
  readonly language: string | undefined;
  /** Whose it is, for the bound on shares of one owner. */
  readonly owner: string;
}

/** Somebody who reads, as whoever carries the events sees it. */
export interface Subscription {
  /** The sink takes events again. */
  drained(): void;
  /** The reader is gone. Idempotent. */
  leave(): void;
}

/**
 * Passes on what speakers publish to everybody who has their link. The speaker's own page is the source of truth: it has
 * each word once, across reconnects; here is only what is needed to tell it to others, in memory, within bounds. After a
 * restart a speaker opens the share again with the secret that it has kept, and the links that were given away hold.
 */
export class CaptionsHub {
  readonly #options: CaptionsHubOptions;
  readonly #shares = new Map<string, CaptionShare>();
  #readerCount = 0;
  #isClosed = false;
  #cancelBeat: (() => void) | undefined;

  constructor(options: CaptionsHubOptions) {
    this.#options = options;
  }

  /** Opens a share, or comes back to it; a bound that is reached is the answer then. */
  open({ publisherSecret, session, language, owner }: OpenShare): CaptionShare | 'shares_full' {
    const key = shareKeyOf(readerSecretOf(publisherSecret));
    const share = this.#find(key) ?? this.#create(key, owner);
    if (share !== 'shares_full') share.resume(session, language);
    return share;
  }

  /** The share that somebody publishes to. */
  published(publisherSecret: string): CaptionShare | undefined {
    return this.#find(shareKeyOf(readerSecretOf(publisherSecret)));
  }

  /** Ends a share; its readers are told. */
  end(share: CaptionShare): void {
    this.#remove(share, { isClosed: true });
  }

  /** Lets somebody read: the sink hears a snapshot before this returns. */
  subscribe(readerSecret: string, sink: CaptionSink): Subscription | 'unknown' | 'readers_full' {
    const share = this.#find(shareKeyOf(readerSecret));
    if (share === undefined) return 'unknown';
    const { readersMax, readersPerShareMax } = this.#options.limits;
    if (this.#readerCount >= readersMax || share.readerCount >= readersPerShareMax) return 'readers_full';
    const reader = share.join(sink);
    this.#count(1);
    this.#armBeat();
    return this.#subscription(share, reader);
  }

  /** Lets every reader go and forgets every share: for a server that ends. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelBeat?.();
    this.#cancelBeat = undefined;
    for (const share of [...this.#shares.values()]) this.#remove(share, { isClosed: false });
  }

  #subscription(share: CaptionShare, reader: CaptionReader): Subscription {
    let isThere = true;
    return {
      drained: () => reader.drained(),
      leave: () => {
        if (!isThere) return;
        isThere = false;
        share.leave(reader);
        this.#count(-1);
      },
    };
  }

  #find(key: ShareKey): CaptionShare | undefined {
    const share = this.#shares.get(key.id);
    return share !== undefined && isSameKey(share.key, key) ? share : undefined;
  }

  #create(key: ShareKey, owner: string): CaptionShare | 'shares_full' {
    const { clock, limits, metrics } = this.#options;
    const owned = [...this.#shares.values()].filter((share) => share.owner === owner).length;
    const isFull = this.#shares.size >= limits.sharesMax || owned >= limits.sharesPerOwnerMax;
    if (isFull || this.#isClosed) return 'shares_full';
    const share: CaptionShare = new CaptionShare({
      key,
      owner,
      clock,
      limits,
      onCaughtUp: () => metrics.catchUps.inc(),
      onExpired: () => this.end(share),
    });
    this.#shares.set(key.id, share);
    metrics.shares.set(this.#shares.size);
    return share;
  }

  #remove(share: CaptionShare, how: { readonly isClosed: boolean }): void {
    if (!this.#shares.delete(share.key.id)) return;
    this.#options.metrics.shares.set(this.#shares.size);
    share.end(how);
  }

  #count(by: 1 | -1): void {
    this.#readerCount += by;
    this.#options.metrics.readers.set(this.#readerCount);
    if (this.#readerCount > 0) return;
    this.#cancelBeat?.();
    this.#cancelBeat = undefined;
  }

  /** One timer for everybody, while anybody reads. */
  #armBeat(): void {
    const { clock, limits } = this.#options;
    this.#cancelBeat ??= clock.after(limits.heartbeatMs, () => {
      this.#cancelBeat = undefined;
      for (const share of this.#shares.values()) share.beat();
      this.#armBeat();
    });
  }
}
