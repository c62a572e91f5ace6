import { type Clock, TokenBucket } from '@kikitori/core';
import {
  type Caption,
  type CaptionChange,
  encodeCaptionEvent,
  HEARTBEAT,
  type LiveCaption,
  type SpeakerState,
} from '@kikitori/protocol/shared-captions';
import type { CaptionsLimits } from '../limits.js';
import { CaptionReader, type CaptionSink } from './caption-reader.js';
import type { ShareKey } from './share-secret.js';
import { ShareTranscript } from './share-transcript.js';

/** What a share is made of. */
export interface CaptionShareOptions {
  readonly key: ShareKey;
  /** Who opened it: shares are counted by it. */
  readonly owner: string;
  readonly clock: Clock;
  readonly limits: CaptionsLimits;
  readonly onCaughtUp: () => void;
  /** It is over by itself: too old, or nobody spoke for too long. */
  readonly onExpired: () => void;
}

/** What a speaker has to say. */
export interface CaptionUpdate {
  readonly session: string;
  readonly utterances: readonly Caption[];
  /** Undefined: as before. */
  readonly live: LiveCaption | undefined;
  /** Undefined: words say that the speaker is live, and nothing else changes it. */
  readonly speaker?: SpeakerState | undefined;
}

/** Why an update was not taken. */
export type UpdateRefusal = 'other_session' | 'too_fast';

/** One speaker's words and everybody who reads them. */
export class CaptionShare {
  readonly key: ShareKey;
  readonly owner: string;
  readonly #options: CaptionShareOptions;
  readonly #readers = new Set<CaptionReader>();
  readonly #rate: TokenBucket;
  readonly #expiresAtMs: number;
  readonly #cancelLife: () => void;
  #cancelIdle: (() => void) | undefined;
  #cancelAway: (() => void) | undefined;
  /** Nothing was heard of the speaker's program for so long that it may be gone. */
  #isAway = false;
  #stated: SpeakerState = 'waiting';
  #session = '';
  #language: string | undefined;
  #transcript: ShareTranscript;

  constructor(options: CaptionShareOptions) {
    const { key, owner, clock, limits, onExpired } = options;
    this.key = key;
    this.owner = owner;
    this.#options = options;
    this.#transcript = new ShareTranscript(limits);
    const { updatesPerSMax: perSecond } = limits;
    this.#rate = new TokenBucket({ perSecond, burst: 2 * perSecond }, clock.nowMs());
    this.#expiresAtMs = clock.unixMs() + limits.shareMsMax;
    this.#cancelLife = clock.after(limits.shareMsMax, onExpired);
    this.#touch();
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Number of the utterance that is wanted next; null while any would do. */
  get nextNumber(): number | null {
    return this.#transcript.nextNumber;
  }

  /** Unix time at which it ends at the latest, milliseconds. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /** A speaker comes, or comes back. With another session than before everything begins anew, for the readers too. */
  resume(session: string, language: string | undefined): void {
    const before = this.#speaker;
    this.#touch();
    const isNew = session !== this.#session;
    if (!isNew && language === this.#language) {
      if (this.#speaker !== before) this.#tellChange(undefined, this.#speaker);
      return;
    }
    if (isNew) {
      this.#transcript = new ShareTranscript(this.#options.limits);
      this.#stated = 'waiting';
    }
    this.#session = session;
    this.#language = language;
    this.#tell(this.#snapshot());
  }

  /** Takes what the speaker says; the answer is the number of the utterance that is wanted next, or why it was refused. */
  update({
    session,
    utterances,
    live,
    speaker,
  }: CaptionUpdate): { nextNumber: number | null } | UpdateRefusal {
    if (session !== this.#session) return 'other_session';
    if (this.#rate.take(this.#options.clock.nowMs()) > 0) return 'too_fast';
    const before = this.#speaker;
    this.#touch();
    const { change, nextNumber } = this.#transcript.apply(utterances, live);
    this.#stated = speaker ?? (change === undefined ? this.#stated : 'live');
    const news = this.#speaker === before ? undefined : this.#speaker;
    if (change !== undefined || news !== undefined) this.#tellChange(change, news);
    return { nextNumber };
  }

  /** Lets somebody read, from all that is kept on. */
  join(sink: CaptionSink): CaptionReader {
    const { clock, limits, onCaughtUp } = this.#options;
    const snapshot = (): string => this.#snapshot();
    const reader = new CaptionReader({ sink, clock, stallMs: limits.readerStallMs, snapshot, onCaughtUp });
    this.#readers.add(reader);
    reader.begin();
    return reader;
  }

  /** Somebody is gone. */
  leave(reader: CaptionReader): void {
    reader.release();
    this.#readers.delete(reader);
  }

  beat(): void {
    for (const reader of this.#readers) reader.beat(HEARTBEAT);
  }

  /** Ends: readers are told that nobody shares here any more, or, without `isClosed`, only let go. */
  end({ isClosed }: { readonly isClosed: boolean }): void {
    this.#cancelLife();
    this.#cancelIdle?.();
    this.#cancelAway?.();
    const readers = [...this.#readers];
    this.#readers.clear();
    for (const reader of readers) reader.end(isClosed ? encodeCaptionEvent({ type: 'closed' }) : undefined);
  }

  #snapshot(): string {
    const { utterances, live } = this.#transcript;
    const [session, language] = [this.#session, this.#language];
    const speaker = this.#speaker;
    return encodeCaptionEvent({ type: 'snapshot', session, language, utterances, live, speaker });
  }

  /** What is true of the speaker now: one whose program is not heard of speaks to nobody. */
  get #speaker(): SpeakerState {
    return this.#isAway && this.#stated === 'live' ? 'paused' : this.#stated;
  }

  #tellChange(change: CaptionChange | undefined, speaker: SpeakerState | undefined): void {
    const { utterances = [], live } = change ?? {};
    this.#tell(encodeCaptionEvent({ type: 'update', utterances, live, speaker }));
  }

  #tell(frame: string): void {
    for (const reader of this.#readers) reader.tell(frame);
  }

  #noteAway(): void {
    const before = this.#speaker;
    this.#isAway = true;
    if (this.#speaker !== before) this.#tellChange(undefined, this.#speaker);
  }

  #touch(): void {
    const { clock, limits, onExpired } = this.#options;
    this.#cancelIdle?.();
    this.#cancelIdle = clock.after(limits.idleMs, onExpired);
    this.#cancelAway?.();
    this.#isAway = false;
    this.#cancelAway = clock.after(limits.awayMs, () => this.#noteAway());
  }
}
