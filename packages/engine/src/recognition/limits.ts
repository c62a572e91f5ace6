/** Every bound of hearing a stream with a local model, with its reason and what happens at it. */
export const RECOGNITION_LIMITS = {
  /** A stream's audio that is not settled yet. At the bound `write` waits. Half a minute is 2 MB. */
  backlogMsMax: 30_000,
  /** Audio that one request to the voice activity thread carries: its answer is never far away. */
  vadMsMax: 2000,
  /** Hypotheses that nobody has read. At the bound the stream is not decoded further until its reader comes. */
  hypothesesUnreadMax: 256,
  /** The same audio is tried this often before its stream fails: a lost thread is no fault of the audio. */
  attemptsMax: 3,
  /** Flushes of one stream that are not answered yet; one more fails the stream. */
  flushesPendingMax: 1000,
  /** Audio that a stream may bring faster than it is spoken; then it waits like a file (`pace.ts`). */
  aheadMsMax: 3000,
  /** What a stream earns while its network brings nothing: so much may come at once afterwards. */
  creditMsMax: 30_000,
  /** A stream that was ahead is live again after so long at the pace of speech, give or take the slack … */
  pacedMsMin: 5000,
  pacedSlackMs: 1000,
  /** … and with no more unrecognised audio than one decode takes. */
  pacedWaitingMsMax: 16_000,
  /** A thread is kept for speakers, and others decode shorter windows, until nobody has spoken for so long. */
  speakerMsMin: 10_000,
  /** A speaker with so much unsettled audio is late: nobody who waits begins beside them. */
  lateMsMin: 1500,
  /** Where speakers take all the time, one of those who wait has a turn after so long. */
  waiterMsMax: 5000,
} as const;
