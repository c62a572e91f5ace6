import type { Clock } from '@kikitori/core';

/** Where a reader's events go: an HTTP response, or a test's own. */
export interface CaptionSink {
  /** Takes a frame; false: no more until it has drained. A frame is taken in any case. */
  write(frame: string): boolean;
  /** Ends behind what was written. */
  end(): void;
  /** Ends now. */
  destroy(): void;
}

/** What a reader needs. */
export interface CaptionReaderOptions {
  readonly sink: CaptionSink;
  readonly clock: Clock;
  /** How long it may stand still. Then: destroyed. */
  readonly stallMs: number;
  /** Everything that somebody who comes now has to know. */
  readonly snapshot: () => string;
  /** It could not follow and was told everything anew. */
  readonly onCaughtUp: () => void;
}

/**
 * Somebody who reads. Nothing is queued for one that is slow: it misses what it cannot take, and once it takes something
 * again it is told how things stand. What waits for it is never more than its own buffer and one snapshot.
 */
export class CaptionReader {
  readonly #options: CaptionReaderOptions;
  #isBehind = false;
  #hasMissed = false;
  #isOver = false;
  #cancelStall: (() => void) | undefined;

  constructor(options: CaptionReaderOptions) {
    this.#options = options;
  }

  /** Says how things stand; the first thing that a reader hears. */
  begin(): void {
    this.#write(this.#options.snapshot());
  }

  /** Says something, or lets it miss that. */
  tell(frame: string): void {
    if (this.#isOver) return;
    if (this.#isBehind) this.#hasMissed = true;
    else this.#write(frame);
  }

  /** A sign of life; one that is behind needs none. */
  beat(frame: string): void {
    if (!this.#isOver && !this.#isBehind) this.#write(frame);
  }

  /** To be called when the sink has drained. */
  drained(): void {
    if (this.#isOver || !this.#isBehind) return;
    this.#isBehind = false;
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    if (!this.#hasMissed) return;
    this.#hasMissed = false;
    this.#options.onCaughtUp();
    this.#write(this.#options.snapshot());
  }

  /** Ends in order, with a last frame where there is one and it is still able to take it. Idempotent. */
  end(last?: string): void {
    if (this.#isOver) return;
    if (last !== undefined) this.tell(last);
    const { sink } = this.#options;
    const isBehind = this.#isBehind;
    this.release();
    if (isBehind) sink.destroy();
    else sink.end();
  }

  /** It is gone: nothing runs afterwards. Idempotent. */
  release(): void {
    this.#isOver = true;
    this.#cancelStall?.();
    this.#cancelStall = undefined;
  }

  #write(frame: string): void {
    const { sink, clock, stallMs } = this.#options;
    if (sink.write(frame)) return;
    this.#isBehind = true;
    this.#cancelStall ??= clock.after(stallMs, () => {
      this.release();
      sink.destroy();
    });
  }
}
