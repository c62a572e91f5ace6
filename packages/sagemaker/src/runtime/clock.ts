import { timerMs } from '@kikitori/transport';

/** Time, injected so that tests decide it. */
export interface Clock {
  /** Monotonic, milliseconds from any origin. */
  nowMs(): number;
  /** Unix time in milliseconds: what signatures are held against, and what the `date` header says. */
  unixMs(): number;
  /** Calls `run` once, after at least `delayMs`; the answer cancels it. */
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
