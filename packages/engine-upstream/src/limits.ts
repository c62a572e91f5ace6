/** Every bound of this package, with its reason and what happens at it. Times in milliseconds. */
export const UPSTREAM_LIMITS = {
  /** Streams at once where nobody says and the other server's metrics do not tell. At the bound: `engine_busy`. */
  streamsMax: 100,
  /**
   * Audio of a stream that was sent and is not settled, where the other server says how far it is. At the bound `write`
   * waits: vLLM itself would take all that comes and hold it in memory.
   */
  unsettledMsMax: 60_000,
  /** Hypotheses that nobody has read. At the bound the session's events are not read on, so the other server waits. */
  hypothesesUnreadMax: 256,
  /** Flushes of one stream that are not answered yet; one more fails the stream. */
  flushesPendingMax: 1_000,
  /** Audio that one request to the voice detector carries: its answer is never far away. */
  judgedMsMax: 1_000,
  /** The same audio is heard this often before its stream fails: a lost thread is no fault of the audio. */
  voiceAttemptsMax: 3,
  /**
   * At the first end of an utterance: how long to wait for a sign of whether the other server finds ends itself. Then: it is
   * ended here.
   */
  trialMs: 5_000,
  /**
   * Without audio inside of an utterance it is ended, and goes on with the next audio: vLLM 0.17.1 falls silent for good after a
   * minute, and every version keeps memory for it. In the middle of a
   * word it is left to the client, which begins anew after 20 s without losing it.
   */
  pauseMs: 15_000,
  /**
   * Tokens of one utterance of the other server, where it says how many it bears: what one place takes of its memory, two
   * minutes. Before that the client begins another one, in a pause or with what came before once more.
   */
  turnTokensMax: 1_600,
  /** How long a session waits for another server that is away or loads, where nobody says. Then: the stream fails. */
  waitMs: 120_000,
  /** Audio that a session keeps to send it again (3.8 MB). Then: as the client's `keepMs` says. */
  keepMs: 120_000,
  /** One way to the other server may take so long to open: a cold endpoint takes its time. Then: another try. */
  connectMs: 60_000,
  /** Longest silence of the other server when an utterance was ended, beside the utterance's own length. Then: another connection. */
  answerMs: 60_000,
  /** Least audio between two `progress`, and the time from one to the next where nothing is said. */
  progressMs: 250,
  /** Asking a server that is not there: the pause doubles from the first to the second. For as long as it takes. */
  probeMsMin: 250,
  probeMsMax: 5_000,
  /** One question to the other server, answer included. Then: it counts as away. */
  probeTimeoutMs: 5_000,
  /** How often a server that answered is asked whether it is well. */
  healthIntervalMs: 3_000,
  /** So many answers in a row that it is not well, and it counts as away: one may be lost. */
  healthFailuresMax: 2,
  /** Longest answer that is read: vLLM's metrics are some 100 KB. At the bound: as if there were none. */
  answerBytesMax: 4 * 1024 * 1024,
} as const;
