import type { TransportErrorCode } from '@kikitori/transport';

/** What went wrong on the way to SageMaker, finer than the seam's code. Callers match it, never the message. */
export type SageMakerErrorReason =
  // Before anything is sent.
  | 'invalid_endpoint_name'
  | 'invalid_region'
  | 'invalid_endpoint_url'
  | 'invalid_target_variant'
  | 'invalid_invocation_path'
  | 'invalid_query_string'
  | 'invalid_option'
  | 'credentials_unavailable'
  // On the way there.
  | 'host_not_found'
  | 'nobody_listens'
  | 'network_failed'
  | 'tls_failed'
  | 'not_http2'
  | 'connect_timeout'
  | 'answer_timeout'
  // The service's answer before the stream.
  | 'request_refused'
  | 'endpoint_not_found'
  | 'endpoint_not_ready'
  | 'model_refused'
  | 'access_denied'
  | 'credentials_unknown'
  | 'credentials_expired'
  | 'signature_wrong'
  | 'clock_wrong'
  | 'throttled'
  | 'service_failed'
  | 'service_unavailable'
  | 'answer_unexpected'
  // Inside the stream.
  | 'model_ended'
  | 'container_lost'
  | 'stream_expired'
  | 'stream_failed'
  | 'stream_reset'
  | 'line_lost'
  | 'no_sign_of_life'
  | 'message_too_large'
  | 'text_not_utf8'
  // The format of events.
  | 'frame_too_large'
  | 'prelude_checksum'
  | 'message_checksum'
  | 'frame_malformed'
  | 'frame_truncated'
  // Why the stand-in does not start, or is not there.
  | 'unsafe_address'
  | 'port_in_use'
  | 'port_forbidden'
  | 'address_unavailable'
  | 'listen_failed'
  | 'certificate_failed'
  | 'endpoint_failed'
  | 'runtime_closed';

/** One row of the table. */
export interface SageMakerErrorTraits {
  /** What the seam calls it. */
  readonly code: TransportErrorCode;
  readonly retryable: boolean;
  /** The sentence: what happened, and what to do. */
  readonly message: string;
}

/**
 * For each reason: the seam's code, is another try worth it (for `model_refused` and `model_ended` the container's
 * status and close code have a say, see `SageMakerError.retryable`), and the sentence.
 */
export const SAGEMAKER_ERRORS: Readonly<Record<SageMakerErrorReason, SageMakerErrorTraits>> = {
  invalid_endpoint_name: {
    code: 'invalid_argument',
    retryable: false,
    message:
      'An endpoint name has 1 to 63 letters, digits and hyphens, and begins and ends with a letter or digit.',
  },
  invalid_region: {
    code: 'invalid_argument',
    retryable: false,
    message: 'A region looks like us-east-1; name the one that the endpoint is in.',
  },
  invalid_endpoint_url: {
    code: 'invalid_url',
    retryable: false,
    message: 'An endpoint URL is http:// or https:// with a host and a port, and nothing behind them.',
  },
  invalid_target_variant: {
    code: 'invalid_argument',
    retryable: false,
    message:
      'A variant name has 1 to 63 letters, digits and hyphens, and begins and ends with a letter or digit.',
  },
  invalid_invocation_path: {
    code: 'invalid_argument',
    retryable: false,
    message:
      'The path in the container must be like v1/realtime: no slash at either end, letters, digits, - . _ and /, at most 100 characters.',
  },
  invalid_query_string: {
    code: 'invalid_argument',
    retryable: false,
    message:
      'The query string must be like model=base&lang=en: no question mark, every key with a value, values percent-encoded (no +), at most 2048 characters.',
  },
  invalid_option: {
    code: 'invalid_argument',
    retryable: false,
    message: 'An option for the connection to SageMaker is out of its range; see its description.',
  },
  credentials_unavailable: {
    code: 'invalid_argument',
    retryable: false,
    message:
      'No AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in with "aws sso login", or name a profile in AWS_PROFILE.',
  },
  host_not_found: {
    code: 'connect_failed',
    retryable: true,
    message: 'The name of the service was not found; check the region and the network.',
  },
  nobody_listens: {
    code: 'connect_failed',
    retryable: true,
    message:
      "Nobody listens at that address; SageMaker's streams are on port 8443, and a local stand-in must be started first.",
  },
  network_failed: {
    code: 'connect_failed',
    retryable: true,
    message: 'The network did not reach the service; check it, and that nothing blocks port 8443.',
  },
  tls_failed: {
    code: 'connect_failed',
    retryable: false,
    message:
      'TLS failed: trust the certificate that the local stand-in prints, or use http:// for one without TLS.',
  },
  not_http2: {
    code: 'protocol_error',
    retryable: false,
    message:
      "What answers there does not speak HTTP/2; SageMaker's streams are on port 8443, and http:// and https:// must not be mixed up.",
  },
  connect_timeout: {
    code: 'connect_timeout',
    retryable: true,
    message:
      "No connection in time; SageMaker's streams are on port 8443, check that nothing on the way blocks it.",
  },
  answer_timeout: {
    code: 'connect_timeout',
    retryable: true,
    message:
      'The service did not answer in time; check that the port is 8443, that you may call sagemaker:InvokeEndpointWithBidirectionalStream, and that the model is up.',
  },
  request_refused: {
    code: 'refused',
    retryable: false,
    message: 'SageMaker does not accept the request; its words say which part.',
  },
  endpoint_not_found: {
    code: 'refused',
    retryable: false,
    message:
      'There is no such endpoint in this account and region; check its name, the region and whose credentials are used.',
  },
  endpoint_not_ready: {
    code: 'refused',
    retryable: true,
    message: 'The endpoint is still being created or changed; wait until its status is InService.',
  },
  model_refused: {
    code: 'refused',
    retryable: true,
    message:
      'The container refused the WebSocket or is not ready; check the path and its log in CloudWatch (/aws/sagemaker/Endpoints).',
  },
  access_denied: {
    code: 'refused',
    retryable: false,
    message:
      'These credentials may not do that; allow sagemaker:InvokeEndpointWithBidirectionalStream on the endpoint.',
  },
  credentials_unknown: {
    code: 'refused',
    retryable: false,
    message: 'AWS does not know these credentials; check the access key and the session token.',
  },
  credentials_expired: {
    code: 'refused',
    retryable: true,
    message: 'The AWS credentials have expired; log in again ("aws sso login") or renew them.',
  },
  signature_wrong: {
    code: 'refused',
    retryable: false,
    message: 'The signature does not match; check the secret access key and the region.',
  },
  clock_wrong: {
    code: 'refused',
    retryable: true,
    message: 'The clock of this machine is off by minutes, and signatures carry the time; set it.',
  },
  throttled: {
    code: 'refused',
    retryable: true,
    message: 'SageMaker is throttling; try again in a moment, or raise the quota.',
  },
  service_failed: {
    code: 'refused',
    retryable: true,
    message: 'SageMaker failed inside; try again in a moment.',
  },
  service_unavailable: {
    code: 'refused',
    retryable: true,
    message: 'SageMaker or the endpoint is not available now; try again in a moment.',
  },
  answer_unexpected: {
    code: 'refused',
    retryable: false,
    message: 'What answered there is not the SageMaker runtime; check the endpoint URL.',
  },
  model_ended: {
    code: 'peer_closed',
    retryable: true,
    message: 'The container ended the stream with an error; its words and its log in CloudWatch say why.',
  },
  container_lost: {
    code: 'connection_lost',
    retryable: true,
    message: 'The container vanished in the middle; its log in CloudWatch says why. Try again.',
  },
  stream_expired: {
    code: 'peer_closed',
    retryable: true,
    message: 'The stream reached its longest duration (30 minutes); open another one to go on.',
  },
  stream_failed: {
    code: 'peer_closed',
    retryable: true,
    message: 'SageMaker ended the stream with an error of its own; try again.',
  },
  stream_reset: {
    code: 'connection_lost',
    retryable: true,
    message: 'The stream was reset without an end; try again.',
  },
  line_lost: {
    code: 'connection_lost',
    retryable: true,
    message: 'The connection was cut without an end; check the network and try again.',
  },
  no_sign_of_life: {
    code: 'keepalive_timeout',
    retryable: true,
    message: 'The service gave no sign of life; check the network and try again.',
  },
  message_too_large: {
    code: 'message_too_big',
    retryable: false,
    message: 'The container sent a message above the limit of 16 MiB.',
  },
  text_not_utf8: {
    code: 'invalid_utf8',
    retryable: false,
    message: 'The container sent text that is not UTF-8.',
  },
  frame_too_large: {
    code: 'protocol_error',
    retryable: false,
    message: 'An event is longer than allowed; what answers there may not be SageMaker.',
  },
  prelude_checksum: {
    code: 'protocol_error',
    retryable: true,
    message: 'The lengths of an event were damaged on the way; try again.',
  },
  message_checksum: {
    code: 'protocol_error',
    retryable: true,
    message: 'An event was damaged on the way; try again.',
  },
  frame_malformed: {
    code: 'protocol_error',
    retryable: false,
    message: 'An event breaks the format; what answers there may not be SageMaker.',
  },
  frame_truncated: {
    code: 'connection_lost',
    retryable: true,
    message: 'The stream ended inside a message; the connection was cut. Try again.',
  },
  unsafe_address: {
    code: 'invalid_argument',
    retryable: false,
    message: 'To listen beyond loopback, give an access key and a secret key of your own.',
  },
  port_in_use: {
    code: 'connect_failed',
    retryable: true,
    message: 'The port is in use; choose another with --port.',
  },
  port_forbidden: {
    code: 'connect_failed',
    retryable: false,
    message: 'The port may not be used by this user; choose one above 1023 with --port.',
  },
  address_unavailable: {
    code: 'connect_failed',
    retryable: false,
    message: 'The host is not an address of this machine; choose another with --host.',
  },
  listen_failed: {
    code: 'connect_failed',
    retryable: false,
    message: 'The stand-in could not listen at this address.',
  },
  certificate_failed: {
    code: 'invalid_argument',
    retryable: false,
    message:
      'The certificate could not be made, written or used; check its files, its folder, and that of temporary files (TMPDIR).',
  },
  endpoint_failed: {
    code: 'connect_failed',
    retryable: true,
    message: 'The container did not answer GET /ping with 200 in time; start it, then start again.',
  },
  runtime_closed: { code: 'closed', retryable: false, message: 'The stand-in is closed.' },
};
