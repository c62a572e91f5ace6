import type { Clock } from '@kikitori/core';

/** When to ping, and what to do about silence. */
export interface PingWatchOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly missedMax: number;
  readonly ping: () => void;
  /** True while nothing is read from the container: then a pong may be stuck behind data, and silence says nothing. */
  readonly isPaused: () => boolean;
  /** Called once; the watch has ended then. */
  readonly onDead: () => void;
}

/**
 * Pings a container as SageMaker does: one ping per interval, and the end after so many pings in a row that no pong
 * followed. Data is no sign of life, only a pong is.
 */
export class PingWatch {
  readonly #options: PingWatchOptions;
  #cancel: () => void = () => undefined;
  #isWaiting = false;
  #wasPaused = false;
  #missed = 0;

  constructor(options: PingWatchOptions) {
    this.#options = options;
  }

  /** The first ping comes one interval later. */
  start(): void {
    const { clock, intervalMs } = this.#options;
    this.#cancel = clock.after(intervalMs, () => this.#tick());
  }

  /** To be called with every pong, asked for or not. */
  notePong(): void {
    this.#isWaiting = false;
    this.#missed = 0;
  }

  /** To be called whenever reading is paused. */
  notePause(): void {
    this.#wasPaused = true;
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    const { missedMax, ping, isPaused, onDead } = this.#options;
    if (this.#isWaiting && !this.#wasPaused) this.#missed += 1;
    if (this.#missed >= missedMax) {
      onDead();
      return;
    }
    this.#wasPaused = isPaused();
    this.#isWaiting = true;
    ping();
    this.start();
  }
}
