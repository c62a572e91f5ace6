import { timerMs } from '@kikitori/transport';

/** Time, injected so that tests decide it. */
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
