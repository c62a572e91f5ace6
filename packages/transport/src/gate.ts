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
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const leave = (): void => {
        this.#waiters.delete(pass);
        signal?.removeEventListener('abort', abort);
      };
      const pass = (): void => {
        leave();
        resolve();
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason);
      };
      this.#waiters.add(pass);
      signal?.addEventListener('abort', abort);
    });
  }

  /** Lets everybody pass who waits now. */
  open(): void {
    for (const pass of [...this.#waiters]) pass();
  }
}
