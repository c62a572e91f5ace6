import { timerMs, whenAborted } from '@kikitori/transport';

/** Time as far as pacing needs it; tests bring their own. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  nowMs(): number;
  /** Resolves after that long; rejects with `signal.reason`. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** The platform's clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        leave();
        resolve();
      }, timerMs(ms));
      const leave = whenAborted(signal, () => {
        clearTimeout(timer);
        reject(signal?.reason);
      });
    }),
};
