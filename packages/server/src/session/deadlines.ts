import type { Clock } from '@kikitori/core';
import type { SessionLimits } from '../limits.js';
import type { DeadlineName } from './state.js';

/** How long a session may say nothing at first, milliseconds; 0: for ever. */
export function firstSilenceMs(limits: Pick<SessionLimits, 'idleTimeoutMs' | 'firstMessageMs'>): number {
  const { idleTimeoutMs, firstMessageMs } = limits;
  if (idleTimeoutMs === 0 || firstMessageMs === 0) return Math.max(idleTimeoutMs, firstMessageMs);
  return Math.min(idleTimeoutMs, firstMessageMs);
}

/** The running deadlines of a session; at most one of each name. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onReached: (name: DeadlineName) => void;
  readonly #cancels = new Map<DeadlineName, () => void>();

  constructor(clock: Clock, onReached: (name: DeadlineName) => void) {
    this.#clock = clock;
    this.#onReached = onReached;
  }

  /** Starts the deadline, or starts it anew. */
  start(name: DeadlineName, afterMs: number): void {
    this.#cancels.get(name)?.();
    const cancel = this.#clock.after(afterMs, () => {
      this.#cancels.delete(name);
      this.#onReached(name);
    });
    this.#cancels.set(name, cancel);
  }

  /** Leaves no timer behind. */
  stop(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }
}
