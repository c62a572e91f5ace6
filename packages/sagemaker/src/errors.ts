import { TransportError, type TransportErrorCode, type TransportErrorOptions } from '@kikitori/transport';
import { SAGEMAKER_LIMITS } from './limits.js';

/** What follows from a reason. */
export interface SageMakerErrorTraits {
  /** What the seam calls it. */
  readonly code: TransportErrorCode;
  readonly retryable: boolean;
  /** The sentence: what happened, and what to do. */
  readonly message: string;
}

function rows<Reason extends string>(
  code: TransportErrorCode,
  retryable: boolean,
  messages: Readonly<Record<Reason, string>>,
) {
  const table = Object.entries<string>(messages).map(([reason, message]) => [
    reason,
    { code, retryable, message },
  ]);
  // The same keys.
  return Object.fromEntries(table) as Readonly<Record<Reason, SageMakerErrorTraits>>;
}

/**
 * What went wrong on the way to SageMaker, finer than the seam's code: for each reason that code, is another try worth it (for `model_refused`
 * and `model_ended` the container's status and close code have a say, see `SageMakerError.retryable`), and the sentence. Callers match the reason,
 * never the message.
 */
export const SAGEMAKER_ERRORS = {
  // Before anything is sent.
  ...rows('invalid_argument', false, {
    invalid_endpoint_name:
      'An endpoint name has 1 to 63 letters, digits and hyphens, and begins and ends with a letter or digit.',
    invalid_region: 'A region looks like us-east-1; name the one that the endpoint is in.',
    invalid_target_variant:
      'A variant name has 1 to 63 letters, digits and hyphens, and begins and ends with a letter or digit.',
    invalid_invocation_path:
      'The path in the container must be like v1/realtime: no slash at either end, letters, digits, - . _ and /, at most 100 characters.',
    invalid_query_string:
      'The query string must be like model=base&lang=en: no question mark, every key with a value, values percent-encoded (no +), at most 2048 characters.',
    invalid_option: 'An option for the connection to SageMaker is out of its range; see its description.',
    credentials_unavailable:
      'No AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in with "aws sso login", or name a profile in AWS_PROFILE.',
  }),
  ...rows('invalid_url', false, {
    invalid_endpoint_url:
      'An endpoint URL is http:// or https:// with a host and a port, and nothing behind them.',
  }),
  // On the way there.
  ...rows('connect_failed', true, {
    host_not_found: 'The name of the service was not found; check the region and the network.',
    nobody_listens:
      "Nobody listens at that address; SageMaker's streams are on port 8443, and a local stand-in must be started first.",
    network_failed: 'The network did not reach the service; check it, and that nothing blocks port 8443.',
  }),
  ...rows('connect_failed', false, {
    tls_failed:
      'TLS failed: trust the certificate that the local stand-in prints, or use http:// for one without TLS.',
  }),
  ...rows('protocol_error', false, {
    not_http2:
      "What answers there does not speak HTTP/2; SageMaker's streams are on port 8443, and http:// and https:// must not be mixed up.",
  }),
  ...rows('connect_timeout', true, {
    connect_timeout:
      "No connection in time; SageMaker's streams are on port 8443, check that nothing on the way blocks it.",
    answer_timeout:
      'The service did not answer in time; check that the port is 8443, that you may call sagemaker:InvokeEndpointWithBidirectionalStream, and that the model is up.',
  }),
  // The service's answer before the stream.
  ...rows('refused', false, {
    request_refused: 'SageMaker does not accept the request; its words say which part.',
    endpoint_not_found:
      'There is no such endpoint in this account and region; check its name, the region and whose credentials are used.',
    access_denied:
      'These credentials may not do that; allow sagemaker:InvokeEndpointWithBidirectionalStream on the endpoint.',
    credentials_unknown: 'AWS does not know these credentials; check the access key and the session token.',
    signature_wrong: 'The signature does not match; check the secret access key and the region.',
    answer_unexpected: 'What answered there is not the SageMaker runtime; check the endpoint URL.',
  }),
  ...rows('refused', true, {
    endpoint_not_ready: 'The endpoint is still being created or changed; wait until its status is InService.',
    model_refused:
      'The container refused the WebSocket or is not ready; check the path and its log in CloudWatch (/aws/sagemaker/Endpoints).',
    credentials_expired: 'The AWS credentials have expired; log in again ("aws sso login") or renew them.',
    clock_wrong: 'The clock of this machine is off by minutes, and signatures carry the time; set it.',
    throttled: 'SageMaker is throttling; try again in a moment, or raise the quota.',
    service_failed: 'SageMaker failed inside; try again in a moment.',
    service_unavailable: 'SageMaker or the endpoint is not available now; try again in a moment.',
  }),
  // Inside the stream.
  ...rows('peer_closed', true, {
    model_ended: 'The container ended the stream with an error; its words and its log in CloudWatch say why.',
    stream_expired: 'The stream reached its longest duration (30 minutes); open another one to go on.',
    stream_failed: 'SageMaker ended the stream with an error of its own; try again.',
  }),
  ...rows('connection_lost', true, {
    container_lost: 'The container vanished in the middle; its log in CloudWatch says why. Try again.',
    stream_reset: 'The stream was reset without an end; try again.',
    line_lost: 'The connection was cut without an end; check the network and try again.',
  }),
  ...rows('keepalive_timeout', true, {
    no_sign_of_life: 'The service gave no sign of life; check the network and try again.',
  }),
  ...rows('message_too_big', false, {
    message_too_large: 'The container sent a message above the limit of 16 MiB.',
  }),
  ...rows('invalid_utf8', false, {
    text_not_utf8: 'The container sent text that is not UTF-8.',
  }),
  // The format of events.
  ...rows('protocol_error', false, {
    frame_too_large: 'An event is longer than allowed; what answers there may not be SageMaker.',
    frame_malformed: 'An event breaks the format; what answers there may not be SageMaker.',
  }),
  ...rows('protocol_error', true, {
    prelude_checksum: 'The lengths of an event were damaged on the way; try again.',
    message_checksum: 'An event was damaged on the way; try again.',
  }),
  ...rows('connection_lost', true, {
    frame_truncated: 'The stream ended inside a message; the connection was cut. Try again.',
  }),
  // Why the stand-in does not start, or is not there.
  ...rows('invalid_argument', false, {
    unsafe_address: 'To listen beyond loopback, give an access key and a secret key of your own.',
    certificate_failed:
      'The certificate could not be made, written or used; check its files, its folder, and that of temporary files (TMPDIR).',
  }),
  ...rows('connect_failed', true, {
    port_in_use: 'The port is in use; choose another with --port.',
    endpoint_failed: 'The container did not answer GET /ping with 200 in time; start it, then start again.',
  }),
  ...rows('connect_failed', false, {
    port_forbidden: 'The port may not be used by this user; choose one above 1023 with --port.',
    address_unavailable: 'The host is not an address of this machine; choose another with --host.',
    listen_failed: 'The stand-in could not listen at this address.',
  }),
  ...rows('closed', false, {
    runtime_closed: 'The stand-in is closed.',
  }),
};
export type SageMakerErrorReason = keyof typeof SAGEMAKER_ERRORS;

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
