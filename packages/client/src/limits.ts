/**
 * Every bound of this package, with its reason and with what happens there. Each is a constant of its own, so that a
 * bundle holds numbers and not their names; `CLIENT_LIMITS` shows them together.
 */

/** From the first packet to `session.created`. Then: `timeout`. */
export const CONNECT_TIMEOUT_MS = 10_000;
/**
 * Longest silence of the server while `finish` or `endUtterance` waits, to which the duration of the utterance is
 * added: a server slower than speech is not waited for. Then: `timeout`.
 */
export const FINISH_TIMEOUT_MS = 60_000;

/** Longest time that one message may wait to be written while the server says nothing. Then: `timeout`. */
export const SEND_TIMEOUT_MS = 120_000;

/**
 * Audio was sent for so long, and a server that says something about all audio (ours by progress, vLLM by a delta for
 * every 80 ms) said nothing: it is gone, whatever the line says. Then: `timeout`, and another connection.
 */
export const SIGN_OF_LIFE_MS = 8_000;
/** Audio that such a server may leave without a word: vLLM's first step takes 562.5 ms. */
export const UNANSWERED_MS = 1_000;

/** When nothing can be sent any more: how long to hear what the server had said before. */
export const HEAR_OUT_MS = 1_000;

/** What one message carries: whole frames of 80 ms (one step of Voxtral), as many as wait, up to this. */
export const FRAME_SAMPLES = 1280;
export const APPEND_SAMPLES_MAX = FRAME_SAMPLES * 12;
/** A long array is converted in slices of this many samples, so that the event loop is not held for long. */
export const SLICE_SAMPLES = 16_384;

/** Audio that is taken in at once while the last utterance is being finished (5 s at 16 kHz). Then: `send` waits. */
export const HELD_BYTES_MAX = 160_000;

/**
 * `keepMs`: audio that is kept because its words have not all come (3.8 MB). Then: audio that comes faster than it
 * is spoken waits in `send`; of audio that comes as it is spoken the oldest is given up, and told as a gap if it is
 * missed.
 */
export const KEEP_MS = 120_000;
/** Kept audio lies in pages of this size, about a second each; it takes up to two of them more than `keepMs`. */
export const RING_PAGE_BYTES = 32_768;
/** Least that may be kept: what is sent at once after a break. */
export const KEEP_MS_MIN = 5_000;
/** Kept in front of the place where a replay would begin: a word may begin a little before its given start. */
export const KEEP_BEHIND_MS = 1_000;
/** Audio ahead of its own time by more than this comes from a file, and can wait. */
export const AHEAD_MS_MAX = 2_000;
/** After a break so much is sent at once, and the rest of what waited this much faster than it was spoken. */
export const REPLAY_BURST_MS = 5_000;
export const REPLAY_SPEED = 8;
/** Tries: the first pause is up to `retryBaseMs`, each next one up to twice that, none above `retryMsMax`. */
export const RETRY_BASE_MS = 500;
export const RETRY_MS_MAX = 10_000;
/** The same while nobody is there or it loads: knocking costs nobody anything, and who speaks wants to be heard again. */
export const RETRY_AWAY_MS_MAX = 1_000;
/** Tries in a row without a new word. Then: the session fails. */
export const RETRIES_MAX = 500;
/** `giveUpAfterMs`: time without a connection that proved good. Then: the session fails. */
export const GIVE_UP_AFTER_MS = 120_000;
/** A connection that lived so long has proved good, whatever it said. */
export const PROVEN_MS = 30_000;
/** Before `sessionMsMax` the next connection is opened, and a pause looked for: the last fifth, at most this. */
export const HANDOVER_MS_MAX = 60_000;
/**
 * A server without positions is handed over in a pause of this length, as loudness tells; the nearer the bound, the
 * shorter it may be. It is looked for at least so long: for that the bound may be passed, if nobody answered earlier.
 */
export const PAUSE_MS = 240;
export const PAUSE_SEARCH_MS = 2_000;
/**
 * A turn is ended before it is as long as the model bears: in a pause that is looked for in the last fifth of that time (a
 * minute at most), of `pauseMs` at first and of this at last; else in the middle of speech.
 */
export const ROLL_SEARCH_SHARE = 0.2;
export const ROLL_PAUSE_MS_MIN = 100;
/** Audio in front of a cut in the middle of speech that the next turn hears too, but no more than this part of a turn. */
export const ROLL_CONTEXT_MS = 2_000;
export const CONTEXT_SHARE_MAX = 0.5;
/** Which of the two turns tells a word is decided so far in front of the cut: a part of the context. */
export const SEAM_SHARE = 0.35;
/** However little a model bears, a turn is not shorter. */
export const TURN_MS_MIN = 1_000;
/** An answer may lack so many steps and be whole: versions round differently. Then: the turn was cut short. */
export const LACKING_STEPS_MAX = 2;
/**
 * So much audio goes to a server that has not shown what it is, where it can be asked for the limit of its model; then it is
 * waited for so long. Then: audio goes on, and what the model does not bear is sent again when it says so.
 */
export const TRIAL_MS = 3_000;
export const TRIAL_WAIT_MS = 3_000;
/** No audio for so long in a turn of a counted server, and it is ended: some vLLM say nothing more after 60 s. */
export const SILENT_CALLER_MS = 20_000;
/** Audio handed to `send` calls that nobody awaits. Then: `overflow`. */
export const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** Unread events from which on an iterating caller makes the server wait. */
export const EVENTS_HIGH_WATER = 1024;
/** Unread events that are kept for a caller who reads late. Then: the events are lost, the transcript is not. */
export const EVENTS_MAX = 65_536;

/** What of the server's own words an error repeats. */
export const SERVER_TEXT_MAX = 1024;

/** `pace` cuts longer chunks into pieces of this length. */
export const PACE_FRAME_MS = 80;
/** After a stall `pace` catches up by at most this much; the rest of the stall is kept as a delay. */
export const PACE_CATCH_UP_MS_MAX = 5_000;

/** `firstModel`: the wait for the server's answer. */
export const MODELS_TIMEOUT_MS = 10_000;

/** All of them, by name. */
export const CLIENT_LIMITS = {
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  finishTimeoutMs: FINISH_TIMEOUT_MS,
  sendTimeoutMs: SEND_TIMEOUT_MS,
  signOfLifeMs: SIGN_OF_LIFE_MS,
  unansweredMs: UNANSWERED_MS,
  hearOutMs: HEAR_OUT_MS,
  frameSamples: FRAME_SAMPLES,
  appendSamplesMax: APPEND_SAMPLES_MAX,
  sliceSamples: SLICE_SAMPLES,
  heldBytesMax: HELD_BYTES_MAX,
  keepMs: KEEP_MS,
  ringPageBytes: RING_PAGE_BYTES,
  keepMsMin: KEEP_MS_MIN,
  keepBehindMs: KEEP_BEHIND_MS,
  aheadMsMax: AHEAD_MS_MAX,
  replayBurstMs: REPLAY_BURST_MS,
  replaySpeed: REPLAY_SPEED,
  retryBaseMs: RETRY_BASE_MS,
  retryMsMax: RETRY_MS_MAX,
  retryAwayMsMax: RETRY_AWAY_MS_MAX,
  retriesMax: RETRIES_MAX,
  giveUpAfterMs: GIVE_UP_AFTER_MS,
  provenMs: PROVEN_MS,
  handoverMsMax: HANDOVER_MS_MAX,
  pauseMs: PAUSE_MS,
  pauseSearchMs: PAUSE_SEARCH_MS,
  rollSearchShare: ROLL_SEARCH_SHARE,
  rollPauseMsMin: ROLL_PAUSE_MS_MIN,
  rollContextMs: ROLL_CONTEXT_MS,
  contextShareMax: CONTEXT_SHARE_MAX,
  seamShare: SEAM_SHARE,
  turnMsMin: TURN_MS_MIN,
  lackingStepsMax: LACKING_STEPS_MAX,
  trialMs: TRIAL_MS,
  trialWaitMs: TRIAL_WAIT_MS,
  silentCallerMs: SILENT_CALLER_MS,
  waitingBytesMax: WAITING_BYTES_MAX,
  eventsHighWater: EVENTS_HIGH_WATER,
  eventsMax: EVENTS_MAX,
  serverTextMax: SERVER_TEXT_MAX,
  paceFrameMs: PACE_FRAME_MS,
  paceCatchUpMsMax: PACE_CATCH_UP_MS_MAX,
  modelsTimeoutMs: MODELS_TIMEOUT_MS,

  /** Shared captions: the wait before another try doubles from the first to the second. */
  captionsRetryMsMin: 250,
  captionsRetryMsMax: 8_000,
  /** The wait before a reader asks again for a share that is not there. */
  captionsWaitMs: 3_000,
  /** A line on which nothing comes for so long is dead; the server says something every 15 s. Then: another try. */
  captionsSilenceMs: 40_000,
  /** Least time between two updates of a publisher; the server takes twenty a second. */
  captionsIntervalMs: 100,
  /** A publisher with nothing to say says so; after 25 s without the server tells readers that it is away. */
  captionsKeepAliveMs: 10_000,
  /** One request of a publisher. Then: another try. */
  captionsRequestMs: 10_000,
  /** The server's bounds, which it enforces: of one text, of one request (64 KiB), of all that it keeps. */
  captionsTextCharsMax: 2_000,
  captionsUpdateCharsMax: 12_000,
  captionsUpdateUtterancesMax: 200,
  captionsKeptUtterances: 1_000,
  captionsKeptChars: 65_536,
} as const;
