import { type Clock, sleep, systemClock } from '@kikitori/core';
import { CaptionStreamReader } from '@kikitori/protocol/shared-captions';
import { CLIENT_LIMITS } from '../limits.js';
import { captionsBackOffMs } from './back-off.js';
import { applyCaptionEvent, type CaptionView, EMPTY_VIEW } from './caption-view.js';

/**
 * How a reader stands: not connected for the first time yet; following; nobody shares under this link now; or the server
 * is away and is tried again. What was read stays in all of them.
 */
export type CaptionStatus = 'connecting' | 'following' | 'waiting' | 'away';

/** Whom to follow, and who is told. */
export interface FollowCaptionsOptions {
  /** Address of the server, such as `https://captions.example`; with a path, a slash at its end. */
  readonly url: string;
  /** The reader's secret, from the link. */
  readonly secret: string;
  /** Called with every change, and with the view as it was when the status changes. */
  readonly onChange: (view: CaptionView, status: CaptionStatus) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  /** From 0 to 1: spreads those who come back after a restart. */
  readonly random?: () => number;
}

/** Follows shared captions until the signal fires: connects again for ever, a little later each time. Never rejects. */
export async function followCaptions(options: FollowCaptionsOptions): Promise<void> {
  const { clock = systemClock, random = Math.random, signal } = options;
  const follower = new Follower(options);
  let failures = 0;
  while (!signal.aborted) {
    const { status, hadEvents } = await follower.follow();
    failures = hadEvents ? 0 : failures + 1;
    if (signal.aborted) return;
    follower.tell(status);
    const waitMs = CLIENT_LIMITS.captionsWaitMs * (0.5 + random() / 2);
    const delayMs = status === 'waiting' ? waitMs : captionsBackOffMs(failures, random);
    await sleep(clock, delayMs, { signal }).catch(() => undefined);
  }
}

/** How one connection ended. */
interface FollowEnd {
  readonly status: 'waiting' | 'away';
  /** It was of use: the next try may come soon. */
  readonly hadEvents: boolean;
}

class Follower {
  readonly #options: FollowCaptionsOptions;
  readonly #clock: Clock;
  #view = EMPTY_VIEW;

  constructor(options: FollowCaptionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.tell('connecting');
  }

  tell(status: CaptionStatus): void {
    this.#options.onChange(this.#view, status);
  }

  /** One connection, to its end. */
  async follow(): Promise<FollowEnd> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, ended.signal]);
    let hadEvents = false;
    try {
      const response = await this.#within(this.#fetch(signal), ended.signal);
      if (response.status === 404) return { status: 'waiting', hadEvents };
      if (!response.ok || response.body === null) return { status: 'away', hadEvents };
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const captions = new CaptionStreamReader();
      for (;;) {
        const { done, value } = await this.#within(reader.read(), ended.signal);
        if (done) return { status: 'away', hadEvents };
        for (const event of captions.push(decoder.decode(value, { stream: true }))) {
          hadEvents = true;
          this.#view = applyCaptionEvent(this.#view, event);
          if (event.type === 'closed') return { status: 'waiting', hadEvents };
          this.tell('following');
        }
      }
    } catch {
      // Refused, cut, or silent for too long: one and the same for a reader.
      return { status: 'away', hadEvents };
    } finally {
      ended.abort();
    }
  }

  #fetch(signal: AbortSignal): Promise<Response> {
    const { url, secret, fetch = globalThis.fetch.bind(globalThis) } = this.#options;
    return fetch(new URL('v1/captions', url), {
      headers: { authorization: `Bearer ${secret}` },
      cache: 'no-store',
      credentials: 'omit',
      signal,
    });
  }

  /** The answer, or a rejection when the line is silent for too long. */
  async #within<T>(answer: Promise<T>, ended: AbortSignal): Promise<T> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, ended, over.signal]);
    const silence = sleep(this.#clock, CLIENT_LIMITS.captionsSilenceMs, { signal }).then(() => {
      throw new Error('The line is silent.');
    });
    // The loser is let go below.
    answer.catch(() => undefined);
    silence.catch(() => undefined);
    try {
      return await Promise.race([answer, silence]);
    } finally {
      over.abort();
    }
  }
}
