/** Every bound of the image's way into ECR, with its reason and with what happens there. */
export const IMAGE_LIMITS = {
  /** A builder that works says so at once; a daemon that hangs counts as one that does not run. */
  probeTimeoutMs: 20_000,
  /** To log in, or out again. */
  loginTimeoutMs: 60_000,
  /** vLLM's base alone is 10 GB packed: an hour and a half at 16 Mbit/s. Then `build_failed`; layers that came are kept. */
  buildTimeoutMs: 90 * 60_000,
  /** What is pushed is as much again where the registry does not have the base. Then `push_failed`. */
  pushTimeoutMs: 90 * 60_000,
  /** A program that is told to end has this long, then it is killed. */
  killAfterMs: 5_000,
  /** The last lines of a program are kept for the error that tells how it ended. */
  tailLinesMax: 40,
  lineCharactersMax: 400,
  /** What a short program, a probe, may say in all. */
  outputCharactersMax: 64 * 1024,
  /** Files of a build context, and all of them together. A checkout has 700 files and 4 MB. More is not ours. */
  contextFilesMax: 20_000,
  contextBytesMax: 512 * 1024 * 1024,
  /** Pushed images are asked for so often, because a registry may tell of one a moment later. */
  lookUpAttemptsMax: 5,
  lookUpDelayMs: 1_000,
  /** An image's own description of itself; usually 10 kB. A longer one is refused. */
  configBytesMax: 4 * 1024 * 1024,
  configTimeoutMs: 30_000,
  /** Pages of a repository's images that are read, a hundred each. What is behind them is not found: it is built again, and left by destroy. */
  listPagesMax: 50,
  /** What ECR keeps of images that no tag points to, in days; they cost 0.10 USD per GB and month. */
  untaggedDays: 14,
} as const;
