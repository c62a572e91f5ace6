import type { SessionEvent } from '@kikitori/client';

/** What is said, and of which lane, where there are several: their place, from 0 on. */
export type HeardEvent = SessionEvent & { readonly lane?: number };

/** A session with a recogniser, wherever it runs. */
export interface SpeechLink {
  /** BCP 47 tags of the languages that the recogniser hears; empty where it does not say. */
  readonly languages: readonly string[];
  /** The server was shown a key. */
  readonly hasKey: boolean;
  /** Mono or interleaved lanes, −1…1, 16 kHz; copied before it resolves. Resolves when more may be sent: the back-pressure. */
  send(samples: Float32Array): Promise<void>;
  /** Everything that is said, in order. One consumer; ends after `close`, throws when the session failed. */
  readonly heard: AsyncIterable<HeardEvent>;
  /** No more audio: resolves once everything that was sent has been answered. Rejects with `signal.reason`. */
  finish(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Ends the session in order. Idempotent. */
  close(): Promise<void>;
}
