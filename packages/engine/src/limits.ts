/** Every bound of this package, with its reason and what happens at it. */
export const LIMITS = {
  /**
   * Hypotheses that wait for their consumer. A consumer that never reads is a bug of the caller: at the bound
   * `write` waits until it reads or the stream is closed.
   */
  hypothesesUnreadMax: 10_000,
  /** Flushes not answered yet. `flush` cannot wait, so the stream fails with `engine_internal` at the bound. */
  flushesPendingMax: 1_000,
} as const;
