import { TransportError, type TransportErrorOptions } from '@kikitori/transport';
import { SAGEMAKER_ERRORS, type SageMakerErrorReason } from './error-table.js';
import { SAGEMAKER_LIMITS } from './limits.js';

export { SAGEMAKER_ERRORS, type SageMakerErrorReason, type SageMakerErrorTraits } from './error-table.js';

/** What a `SageMakerError` may carry besides its reason. */
export interface SageMakerErrorOptions extends TransportErrorOptions {
  /** A static sentence that is more exact than the table's. */
  readonly sentence?: string;
  readonly serviceText?: string | undefined;
  readonly serviceCode?: string | undefined;
  readonly originalStatus?: number | undefined;
  readonly requestId?: string | undefined;
}

// The container's own answer to the handshake decides: a 4xx will not change, but for these.
const RETRYABLE_ORIGINAL_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * The one error of this package: a `TransportError`, so that whoever knows the seam alone can handle it, with a finer
 * `reason`. The message is the sentence of the table: no address, header, payload, token or signature.
 */
export class SageMakerError extends TransportError {
  override readonly name = 'SageMakerError';
  readonly reason: SageMakerErrorReason;
  /** The service's own words, cut to 1,024 characters. Show it; do not log it. */
  readonly serviceText: string | undefined;
  /** The service's own code or the name of its error. */
  readonly serviceCode: string | undefined;
  /** `model_refused`: the HTTP status of the container's answer, where there was one. */
  readonly originalStatus: number | undefined;
  /** What AWS's support asks for. */
  readonly requestId: string | undefined;

  constructor(reason: SageMakerErrorReason, options: SageMakerErrorOptions = {}) {
    const { code, message } = SAGEMAKER_ERRORS[reason];
    super(code, options.sentence ?? message, options);
    this.reason = reason;
    this.serviceText = options.serviceText?.slice(0, SAGEMAKER_LIMITS.serviceTextMax);
    this.serviceCode = options.serviceCode?.slice(0, SAGEMAKER_LIMITS.serviceTextMax);
    this.originalStatus = options.originalStatus;
    this.requestId = options.requestId;
  }

  /** Whether the same thing may succeed when tried again later. */
  override get retryable(): boolean {
    const { retryable } = SAGEMAKER_ERRORS[this.reason];
    if (this.reason === 'model_refused') return retryable && isWorthAsking(this.originalStatus);
    if (this.reason === 'model_ended' && this.closeCode !== undefined) return super.retryable;
    return retryable;
  }
}

function isWorthAsking(status: number | undefined): boolean {
  if (status === undefined || status < 400 || status >= 500) return true;
  return RETRYABLE_ORIGINAL_STATUSES.has(status);
}
