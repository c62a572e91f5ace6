import { whenAborted } from './abort.js';
import { timerMs } from './timer-ms.js';

/** Time, injected so that tests decide how much of it passes. */
export interface Clock {
  /** Monotonic, milliseconds from any origin. */
  nowMs(): number;
  /** Unix time in milliseconds. */
  unixMs(): number;
  /** Calls `run` once, after at least `delayMs`; the answer cancels it. A started timer may keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  unixMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, timerMs(delayMs));
    return () => clearTimeout(timer);
  },
};

/** Resolves after that long, or rejects with the signal's reason; no timer is left then. */
export function sleep(
  clock: Pick<Clock, 'after'>,
  delayMs: number,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const cancel = clock.after(delayMs, () => {
      leave();
      resolve();
    });
    const leave = whenAborted(signal, () => {
      cancel();
      reject(signal?.reason);
    });
  });
}
