import { SageMakerError, type SageMakerErrorReason } from '../errors.js';
import { parseCloseText } from '../event-stream/close-text.js';
import { readServiceWords, type ServiceWords, shapeName } from './json-body.js';

/** An HTTP answer other than a stream. */
export interface HttpAnswer {
  readonly status: number;
  /** `x-amzn-errortype` */
  readonly errorType: string | undefined;
  readonly requestId: string | undefined;
  /** As much of it as was read. */
  readonly body: string;
}

// Shapes of the service's model, and those that any AWS service may answer.
const BY_NAME: Readonly<Record<string, SageMakerErrorReason>> = {
  InputValidationError: 'request_refused',
  ValidationException: 'request_refused',
  ValidationError: 'request_refused',
  ModelError: 'model_refused',
  ModelNotReadyException: 'model_refused',
  InternalServerError: 'service_failed',
  InternalServerException: 'service_failed',
  InternalFailure: 'service_failed',
  ServiceUnavailableError: 'service_unavailable',
  ServiceUnavailable: 'service_unavailable',
  ServiceUnavailableException: 'service_unavailable',
  AccessDeniedException: 'access_denied',
  AccessDenied: 'access_denied',
  OptInRequired: 'access_denied',
  UnrecognizedClientException: 'credentials_unknown',
  InvalidClientTokenId: 'credentials_unknown',
  MissingAuthenticationToken: 'credentials_unknown',
  MissingAuthenticationTokenException: 'credentials_unknown',
  ExpiredToken: 'credentials_expired',
  ExpiredTokenException: 'credentials_expired',
  InvalidSignatureException: 'signature_wrong',
  SignatureDoesNotMatch: 'signature_wrong',
  IncompleteSignature: 'signature_wrong',
  IncompleteSignatureException: 'signature_wrong',
  RequestTimeTooSkewed: 'clock_wrong',
  RequestExpired: 'clock_wrong',
  RequestInTheFuture: 'clock_wrong',
  ResourceNotFound: 'endpoint_not_found',
  ResourceNotFoundException: 'endpoint_not_found',
};

// The names by which AWS's own retry code knows throttling.
const THROTTLING = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|LimitExceeded|BandwidthLimit/;
// AWS tells an old or early signature by the same name as a wrong one.
const CLOCK_TEXT = /signature expired|signature not yet current|too far from|skew/i;
const NOT_FOUND_TEXT =
  /endpoint\b[\s\S]{0,120}\b(?:not found|could not be found|does not exist|no such)|could not find endpoint/i;
// Statuses of an endpoint that end in InService by themselves; Failed, Deleting and OutOfService do not.
const NOT_READY_TEXT = /endpoint\b[\s\S]{0,120}\bis (?:Creating|Updating|SystemUpdating|RollingBack)\b/i;

/** Turns an answer that refuses into our error. */
export function failureOfAnswer({ status, errorType, requestId, body }: HttpAnswer): SageMakerError {
  const words = readServiceWords(body);
  const name = errorType === undefined ? words.name : shapeName(errorType);
  return new SageMakerError(reasonOfAnswer(status, name, words.text ?? ''), {
    // What the container said to the handshake is what the caller's peer said; 424 only says that it was the container.
    httpStatus: words.originalStatus ?? status,
    serviceText: words.text,
    serviceCode: words.errorCode ?? name,
    originalStatus: words.originalStatus,
    requestId,
  });
}

function reasonOfAnswer(status: number, name: string | undefined, text: string): SageMakerErrorReason {
  if (name !== undefined && THROTTLING.test(name)) return 'throttled';
  const named = name === undefined ? undefined : BY_NAME[name];
  if (named === 'signature_wrong' && CLOCK_TEXT.test(text)) return 'clock_wrong';
  if ((named === undefined || named === 'request_refused') && status === 400) {
    if (NOT_FOUND_TEXT.test(text)) return 'endpoint_not_found';
    if (NOT_READY_TEXT.test(text)) return 'endpoint_not_ready';
  }
  return named ?? reasonOfStatus(status);
}

/** For answers of whatever stands in front of the service. */
function reasonOfStatus(status: number): SageMakerErrorReason {
  switch (status) {
    case 400:
      return 'request_refused';
    case 401:
    case 403:
      return 'access_denied';
    case 424:
      return 'model_refused';
    case 429:
      return 'throttled';
    case 502:
    case 503:
    case 504:
      return 'service_unavailable';
    default:
      return status >= 500 ? 'service_failed' : 'answer_unexpected';
  }
}

/** A failure inside the stream. */
export interface StreamException {
  readonly name: string;
  /** Unmodelled ones have their words in a header. */
  readonly text: string | undefined;
  readonly body: string;
  readonly requestId: string | undefined;
}

/**
 * Turns a failure inside the stream into our error; undefined for a container that closed normally (1000, 1001, no
 * code), which SageMaker may or may not tell as an error.
 */
export function failureOfException(exception: StreamException): SageMakerError | undefined {
  const words = readServiceWords(exception.body);
  const text = words.text ?? exception.text;
  const told = {
    serviceText: text,
    serviceCode: words.errorCode ?? exception.name,
    requestId: exception.requestId,
  };
  const reason = reasonOfException(exception.name, words);
  if (reason !== 'model_ended') return new SageMakerError(reason, told);
  const close = text === undefined ? undefined : parseCloseText(text);
  if (close === undefined) return new SageMakerError('model_ended', told);
  if (close.code === 1000 || close.code === 1001 || close.code === 1005) return undefined;
  const { code: closeCode, reason: closeReason } = close;
  // 1006 is no code that anybody sent: it stands for a line that was cut.
  const ending = closeCode === 1006 ? 'container_lost' : 'model_ended';
  return new SageMakerError(ending, { ...told, closeCode, closeReason });
}

function reasonOfException(name: string, { errorCode }: ServiceWords): SageMakerErrorReason {
  if (name === 'ModelStreamError') {
    return errorCode === 'ModelInvocationTimeExceeded' ? 'stream_expired' : 'model_ended';
  }
  if (THROTTLING.test(name)) return 'throttled';
  return BY_NAME[name] ?? 'stream_failed';
}
