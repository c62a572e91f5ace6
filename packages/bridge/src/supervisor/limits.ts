/** Bounds of supervision, each with its reason. Times in milliseconds. */
export interface SupervisorLimits {
  /** Failed starts in a row that are answered with another start (`PROCESS_MAX_START_RETRIES`). */
  readonly startRetriesMax: number;
  /** Before a restart: at first, and at most; half of it is jitter. */
  readonly restartMsMin: number;
  readonly restartMsMax: number;
  /** How often one that starts is asked whether it is ready. */
  readonly readyPollMs: number;
  /** How long a start may take; SageMaker allows an hour at most. Then it is ended: a failed start. */
  readonly startMsMax: number;
  /** How often one that was ready is asked whether it still is: each time is a line in the log of vLLM. */
  readonly watchPollMs: number;
  /**
   * How long one that was ready may answer that it is not any more: vLLM does so when its engine has died, and is expected to
   * end by itself within 5 s. Then it is ended. One that does not answer is busy, and left alone.
   */
  readonly unreadyMsMax: number;
  /** Between SIGTERM and SIGKILL; with the drain before it stays within SageMaker's 30 s. */
  readonly killAfterMs: number;
  /**
   * How long its processes may take to be gone after SIGKILL: a driver that lets go of a GPU takes seconds. Then there is no
   * restart, since another could not have the memory: `model_server_ended`.
   */
  readonly goneMsMax: number;
  /** The same when we stop: what is left of SageMaker's 30 s. Then the rest is left to the end of the container. */
  readonly stopGoneMsMax: number;
  /** How often it is looked whether they are gone. */
  readonly gonePollMs: number;
}

/** What holds unless told otherwise. */
export const SUPERVISOR_LIMITS: SupervisorLimits = {
  startRetriesMax: 3,
  restartMsMin: 1_000,
  restartMsMax: 30_000,
  readyPollMs: 500,
  startMsMax: 3_600_000,
  watchPollMs: 10_000,
  unreadyMsMax: 30_000,
  killAfterMs: 3_000,
  goneMsMax: 60_000,
  stopGoneMsMax: 1_000,
  gonePollMs: 20,
};
