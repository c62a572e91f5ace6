/** Time as the engine goes by it; a `Clock` of @kikitori/core is one. */
export interface EngineClock {
  /** Monotonic, milliseconds from any origin. */
  nowMs(): number;
  /** Calls `run` once, after at least `delayMs`; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's. */
export const machineClock: EngineClock = {
  nowMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
