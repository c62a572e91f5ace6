/** Every bound of this package, with its reason and what happens at it. */
export const LOCAL_LIMITS = {
  /** A model loads in one to five seconds; beyond this the start fails. */
  loadMsMax: 120_000,
  /** A thread that is to end may finish loading or decoding for this long; then it is torn away. */
  stopMsMax: 10_000,
  /** A thread is replaced when it dies, this often; then streams fail with `engine_worker_lost`. */
  threadDeathsMax: 10,
  /** More threads than this do not help one machine's memory bandwidth. */
  threadsMax: 16,
} as const;
