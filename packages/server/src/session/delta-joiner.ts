import type { Clock } from '@kikitori/core';
import type { Notice } from './state.js';

type Delta = Extract<Notice, { readonly type: 'delta' }>;

/** What a joiner needs. */
export interface DeltaJoinerOptions {
  readonly clock: Clock;
  /** Least time between two deltas to a client that is ahead. Milliseconds. */
  readonly intervalMs: number;
  /** What one delta may grow to; then it goes. Characters. */
  readonly charsMax: number;
  /** More audio of the client waits than is being recognised: nobody looks at its words as they come. */
  readonly isAhead: () => boolean;
  readonly send: (notice: Notice) => void;
}

/**
 * Sends fewer, larger deltas to a client that is ahead of real time. One that sends a whole file before it reads
 * anything takes only so many messages unread (Python's `websockets`: 16) before it hears no pong either, and gives the
 * connection up. Whatever else is to be said goes behind the deltas that were held.
 */
export class DeltaJoiner {
  readonly #options: DeltaJoinerOptions;
  #held: Delta | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(options: DeltaJoinerOptions) {
    this.#options = options;
  }

  push(notice: Notice): void {
    const { clock, intervalMs, charsMax, isAhead } = this.#options;
    if (notice.type !== 'delta') {
      this.flush();
      this.#options.send(notice);
      return;
    }
    this.#held = this.#held === undefined ? notice : joined(this.#held, notice);
    const waitMs = this.#sentAtMs + intervalMs - clock.nowMs();
    if (waitMs <= 0 || this.#held.text.length >= charsMax || !isAhead()) this.flush();
    else this.#cancel ??= clock.after(waitMs, () => this.flush());
  }

  /** Sends what is held. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#sentAtMs = this.#options.clock.nowMs();
    this.#options.send(held);
  }
}

function joined(first: Delta, second: Delta): Delta {
  return { ...second, text: first.text + second.text, words: [...first.words, ...second.words] };
}
