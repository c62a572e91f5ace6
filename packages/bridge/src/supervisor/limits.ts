/** Bounds of supervision, each with its reason. Times in milliseconds. */
export interface SupervisorLimits {
  /** Failed starts in a row that are answered with another start (`PROCESS_MAX_START_RETRIES`). */
  readonly startRetriesMax: number;
  /** Before a restart: at first, and at most; half of it is jitter. */
  readonly restartMsMin: number;
  readonly restartMsMax: number;
  /** How often one that starts is asked whether it is ready. */
  readonly readyPollMs: number;
  /** How long a start may take; SageMaker allows an hour at most. Then it is killed: a failed start. */
  readonly startMsMax: number;
  /** Between SIGTERM and SIGKILL; with the drain before it stays within SageMaker's 30 s. */
  readonly killAfterMs: number;
}

/** What holds unless told otherwise. */
export const SUPERVISOR_LIMITS: SupervisorLimits = {
  startRetriesMax: 3,
  restartMsMin: 1_000,
  restartMsMax: 30_000,
  readyPollMs: 500,
  startMsMax: 3_600_000,
  killAfterMs: 3_000,
};
