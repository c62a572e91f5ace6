import { whenAborted } from '@kikitori/core';

/** What every wait takes. */
export interface WaitOptions {
  /** Ends the wait; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Lets any number of waiters wait for the next `open`. Keeps nothing of a waiter that left. */
export class Gate {
  readonly #waiters = new Set<() => void>();

  /** How many wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves at the next `open`; rejects with `signal.reason`. */
  wait({ signal }: WaitOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const pass = (): void => {
        this.#waiters.delete(pass);
        leave();
        resolve();
      };
      this.#waiters.add(pass);
      const leave = whenAborted(signal, () => {
        this.#waiters.delete(pass);
        reject(signal?.reason);
      });
    });
  }

  /** Lets everybody pass who waits now. */
  open(): void {
    for (const pass of [...this.#waiters]) pass();
  }
}
