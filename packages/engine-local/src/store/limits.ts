/** Every bound of the model store, with its reason and what happens at it. */
export const STORE_LIMITS = {
  /** Tries per download where npm's own `fetch-retries` does not say: then the pull fails; running again resumes. */
  attemptsMax: 4,
  /** Tries per file of a hub however much each brings: a connection that breaks at every block ends the pull. */
  resumesMax: 50,
  /** First wait between two tries; doubles each time, with jitter. Short, because a person waits in front of it. */
  retryDelayMs: 500,
  /** One model file from a hub. Moonshine's largest is under 0.5 GB; a larger one is refused before it is fetched. */
  fileBytesMax: 2 * 1024 * 1024 * 1024,
  /** Files picked from one hub repository: encoder, decoder, tokenizer, configuration. */
  filesMax: 8,
  /** Kept free on the disk beyond what the model takes. Less than this: refused before anything is fetched. */
  freeBytesMin: 16 * 1024 * 1024,
  /** A half-made download from a hub is kept so long for resuming; then the next pull removes it. */
  partialAgeMsMax: 7 * 24 * 60 * 60 * 1000,
  /** Folders of another machine on a shared disk count as left behind after this long. */
  foreignAgeMsMax: 24 * 60 * 60 * 1000,
  /** Tries to put a finished model in its place against other processes that do the same. Then the pull fails. */
  placingsMax: 5,
  /** A manifest longer than this is none of ours. */
  manifestBytesMax: 64 * 1024,
} as const;
