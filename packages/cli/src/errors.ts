import { AUDIO_ERRORS, AudioError } from '@kikitori/audio/errors';
import { isDiskFull } from '@kikitori/core';

/** Why a command could not do what it was asked. */
export type CliErrorCode =
  /** A flag, an operand or an environment variable is wrong. */
  | 'usage'
  /** What was given to read is missing or is no audio. */
  | 'bad_input'
  /** The server, the engine, the model or this machine did not do its part. */
  | 'service_failed'
  /** Ctrl-C or SIGTERM. */
  | 'interrupted'
  /** Whoever read our output has gone (`| head`): nobody is left to tell. */
  | 'output_closed'
  /** What was to be written did not get where it should: a full disk. */
  | 'output_failed';

/** For each code: the exit code of the process. */
export const CLI_ERRORS: Readonly<Record<CliErrorCode, { readonly exitCode: number }>> = {
  usage: { exitCode: 2 },
  bad_input: { exitCode: 2 },
  service_failed: { exitCode: 1 },
  interrupted: { exitCode: 130 },
  output_closed: { exitCode: 0 },
  output_failed: { exitCode: 1 },
};

/** The one error of this package. The message is a sentence that says what to do; it never holds a key or a transcript. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What a command says whose results nobody would get: before it begins to work. */
export function closedOutput(): CliError {
  return new CliError(
    'output_failed',
    'Standard output is closed, so the result would be lost; run this without ">&-", or with "> FILE".',
  );
}

/** How an error ends the process. `sentence` is empty where silence is right. */
export interface Ending {
  readonly exitCode: number;
  readonly sentence: string;
}

/** Codes of the other packages whose cause is what the user gave us. */
const BAD_INPUT_CODES: ReadonlySet<string> = new Set([
  'model_invalid',
  'invalid_url',
  // `SageMakerError`, by its reason.
  'invalid_endpoint_name',
  'invalid_region',
  'invalid_endpoint_url',
  // `ServerError`, `BridgeError` and again `SageMakerError`; their tables are not asked, because they would load all of it for every command.
  'port_in_use',
  'port_forbidden',
  'address_unavailable',
  'unsafe_address',
  'invalid_option',
  // `DeployError`.
  'invalid_setting',
  'instance_unknown',
]);

/**
 * Turns whatever was thrown into an exit code and one sentence. The packages below promise sentences that say what
 * to do; anything else is a bug of ours or of the platform and is named as such.
 */
export function endingOf(error: unknown): Ending {
  if (error instanceof CliError) {
    const silent = error.code === 'output_closed' || error.code === 'interrupted';
    return { exitCode: CLI_ERRORS[error.code].exitCode, sentence: silent ? '' : error.message };
  }
  if (!(error instanceof Error)) {
    return { exitCode: 1, sentence: 'Something threw what is no error; please report it.' };
  }
  if (error instanceof AudioError) {
    return { exitCode: AUDIO_ERRORS[error.code].exitCode, sentence: error.message };
  }
  // Our own packages have codes in lower case; those of the platform (`EPIPE`) are no sentences.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^[a-z][a-z_]+$/.test(code)) {
    const isOurs = BAD_INPUT_CODES.has('reason' in error ? String(error.reason) : code);
    return { exitCode: isOurs ? 2 : 1, sentence: error.message };
  }
  // Whatever the command keeps for a while, it makes a folder for.
  if ('syscall' in error && error.syscall === 'mkdtemp')
    return { exitCode: 1, sentence: folderSentence(error) };
  return {
    exitCode: 1,
    sentence: `Unexpected: ${error.message} (set KIKITORI_DEBUG=1 to see where).`,
  };
}

function folderSentence(error: Error): string {
  return isDiskFull(error)
    ? 'The temporary folder has no room left; make some, or set TMPDIR to another folder.'
    : 'The temporary folder cannot be written to; set TMPDIR to one that can.';
}
