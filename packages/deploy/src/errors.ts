import { DEPLOY_ERRORS, type DeployErrorCode } from './error-table.js';
import { DEPLOY_LIMITS } from './limits.js';

export { DEPLOY_ERRORS, type DeployErrorCode, type DeployErrorTraits } from './error-table.js';

/** What a `DeployError` may carry besides its code. */
export interface DeployErrorOptions {
  readonly cause?: unknown;
  /** A sentence that is more exact than the table's: what happened, and what to do. Never a key or a token. */
  readonly sentence?: string;
  /** AWS's own words or name of the error, cut short. For the eyes of the user. */
  readonly serviceText?: string | undefined;
}

/** The one error of this package. The message is a sentence that says what to do. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
  readonly code: DeployErrorCode;
  readonly serviceText: string | undefined;

  constructor(code: DeployErrorCode, options: DeployErrorOptions = {}) {
    super(
      options.sentence ?? DEPLOY_ERRORS[code].message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.serviceText = options.serviceText?.slice(0, DEPLOY_LIMITS.serviceTextMax);
  }

  /** Whether running the same command again may succeed without anything else being changed. */
  get retryable(): boolean {
    return DEPLOY_ERRORS[this.code].retryable;
  }
}
