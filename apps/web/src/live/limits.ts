/** Every bound of the pages, with its reason and with what happens there. */
export const WEB_LIMITS = {
  /** Sound kept while there is no connection (2 min, 3.8 MB). Then: the oldest is told as a gap. */
  keepMs: 120_000,
  /** Time without a good connection. Then: the session ends, and says so. */
  giveUpAfterMs: 120_000,
  /** Frames of a recording that are looked at in one go, some 15 ms of computing: three seconds of it. Then: the page has its turn. */
  judgedFrames: 144_000,
  /**
   * How long the second channel of a recording waits for a place of the server: as long as the first may be read. Then: the
   * session ends, and says so.
   */
  laneGiveUpAfterMs: 3_600_000,
  /** So long after the first has one, a second channel without a place is told of. */
  laneToldAfterMs: 3_000,
  /** Sessions kept in the browser. Then: the oldest is deleted. */
  sessionsMax: 50,
  /** While words come a session is saved at most so often. */
  saveEveryMs: 2_000,
  /** Sentences that a screen reader is told at once; older ones are taken out of the log. */
  announcedMax: 20,
  /** So long a sentence stands where screen readers are told of it. Then: in the transcript alone, so that nobody reads it twice. */
  announcedMs: 1_000,
  /** The plot of the lag: so many points, one every `lagEveryMs` (60 s). */
  lagPoints: 120,
  lagEveryMs: 500,
  /** A sample is fetched within that time. Then: the file's error is shown. */
  sampleTimeoutMs: 20_000,
  /** Who listens is asked for within that time. Then: asked again. */
  listenerTimeoutMs: 10_000,
  /** From a second on twice as long each time, up to this. */
  listenerRetryMsMax: 30_000,
  /** While a model is loaded the server answers at once: how often it is asked, and for how long (an hour). Then: until something is begun. */
  loadingEveryMs: 3_000,
  loadingTriesMax: 1_200,
  /** An hour, the page being seen. Then: until it is loaded again, or something is begun. */
  listenerTriesMax: 120,
} as const;
