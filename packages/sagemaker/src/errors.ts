import { TransportError, type TransportErrorCode, type TransportErrorOptions } from '@kikitori/transport';

/** What went wrong on the way to SageMaker, finer than the seam's code. Callers match it, never the message. */
export type SageMakerErrorReason =
  /** An event-stream frame announces a length outside its bounds. */
  | 'frame_too_large'
  /** The checksum over the two lengths of a frame is wrong. */
  | 'prelude_checksum'
  /** The checksum over a whole frame is wrong. */
  | 'message_checksum'
  /** Lengths or headers of a frame contradict each other. */
  | 'frame_malformed'
  /** The stream ended inside a frame. */
  | 'frame_truncated';

/** One row of the table. */
export interface SageMakerErrorTraits {
  /** What the seam calls it. */
  readonly code: TransportErrorCode;
  readonly retryable: boolean;
  /** The sentence: what happened, and what to do. */
  readonly message: string;
}

/** For each reason: the seam's code, is another try worth it, and the sentence. */
export const SAGEMAKER_ERRORS: Readonly<Record<SageMakerErrorReason, SageMakerErrorTraits>> = {
  frame_too_large: {
    code: 'protocol_error',
    retryable: false,
    message: 'An event-stream frame is longer than allowed; what answers there may not be SageMaker.',
  },
  prelude_checksum: {
    code: 'protocol_error',
    retryable: true,
    message: 'The lengths of an event-stream frame were damaged on the way; try again.',
  },
  message_checksum: {
    code: 'protocol_error',
    retryable: true,
    message: 'An event-stream frame was damaged on the way; try again.',
  },
  frame_malformed: {
    code: 'protocol_error',
    retryable: false,
    message: 'An event-stream frame breaks the format; what answers there may not be SageMaker.',
  },
  frame_truncated: {
    code: 'connection_lost',
    retryable: true,
    message: 'The stream ended inside an event; the connection was cut. Try again.',
  },
};

/** What a `SageMakerError` may carry besides its reason. */
export type SageMakerErrorOptions = TransportErrorOptions;

/**
 * The one error of this package: a `TransportError`, so that whoever knows the seam alone can handle it, with a finer
 * `reason`. The message is the sentence of the table: no address, header, payload, token or signature.
 */
export class SageMakerError extends TransportError {
  override readonly name = 'SageMakerError';
  readonly reason: SageMakerErrorReason;

  constructor(reason: SageMakerErrorReason, options: SageMakerErrorOptions = {}) {
    const { code, message } = SAGEMAKER_ERRORS[reason];
    super(code, message, options);
    this.reason = reason;
  }

  /** Whether the same thing may succeed when tried again later. */
  override get retryable(): boolean {
    return SAGEMAKER_ERRORS[this.reason].retryable;
  }
}
