/** Every bound of this package, with its reason and with what happens there. */
export const CLIENT_LIMITS = {
  /** From the first packet to `session.created`. Then: `timeout`. */
  connectTimeoutMs: 10_000,
  /**
   * Longest silence of the server while `finish` or `endUtterance` waits, to which the duration of the utterance is
   * added: a server slower than speech is not waited for. Then: `timeout`.
   */
  finishTimeoutMs: 60_000,

  /** Longest time that one message may wait to be written while the server says nothing. Then: `timeout`. */
  sendTimeoutMs: 120_000,

  /** What one message carries: whole frames of 80 ms (one step of Voxtral), as many as wait, up to this. */
  frameSamples: 1280,
  appendSamplesMax: 1280 * 12,
  /** A long array is converted in slices of this many samples, so that the event loop is not held for long. */
  sliceSamples: 16_384,

  /** Audio that is taken in at once while the last utterance is being finished (5 s at 16 kHz). Then: `send` waits. */
  heldBytesMax: 160_000,
  /** Audio handed to `send` calls that nobody awaits. Then: `overflow`. */
  waitingBytesMax: 64 * 1024 * 1024,

  /** Unread events from which on an iterating caller makes the server wait. */
  eventsHighWater: 1024,
  /** Unread events that are kept for a caller who reads late. Then: the events are lost, the transcript is not. */
  eventsMax: 65_536,

  /** What of the server's own words an error repeats. */
  serverTextMax: 1024,

  /** `pace` cuts longer chunks into pieces of this length. */
  paceFrameMs: 80,
  /** After a stall `pace` catches up by at most this much; the rest of the stall is kept as a delay. */
  paceCatchUpMsMax: 5_000,

  /** `firstModel`: the wait for the server's answer. */
  modelsTimeoutMs: 10_000,

  /** Shared captions: the wait before another try doubles from the first to the second. */
  captionsRetryMsMin: 250,
  captionsRetryMsMax: 8_000,
  /** The wait before a reader asks again for a share that is not there. */
  captionsWaitMs: 3_000,
  /** A line on which nothing comes for so long is dead; the server says something every 15 s. Then: another try. */
  captionsSilenceMs: 40_000,
  /** Least time between two updates of a publisher; the server takes twenty a second. */
  captionsIntervalMs: 100,
  /** A publisher with nothing to say says so; the server ends a share after 15 minutes without. */
  captionsKeepAliveMs: 30_000,
  /** One request of a publisher. Then: another try. */
  captionsRequestMs: 10_000,
  /** The server's bounds, which it enforces: of one text, of one request (64 KiB), of all that it keeps. */
  captionsTextCharsMax: 2_000,
  captionsUpdateCharsMax: 12_000,
  captionsUpdateUtterancesMax: 200,
  captionsKeptUtterances: 1_000,
  captionsKeptChars: 65_536,
} as const;
