/** The local stand-in of SageMaker's runtime, for programs that run the whole path on one machine. */

export { SageMakerError, type SageMakerErrorReason } from '../errors.js';
export {
  type GivenCertificate,
  type IssuedCertificate,
  type IssueRequest,
  issueCertificate,
} from './certificate.js';
export { LOCAL_CREDENTIALS, type RuntimeCredentials } from './credentials.js';
export {
  type EndpointOptions,
  type EndpointState,
  STREAMING_LABEL,
  type VariantOptions,
} from './endpoint.js';
export type { EndpointStatus } from './health-gate.js';
export { STAND_IN_LIMITS, type StandInLimits } from './limits.js';
export {
  DEFAULT_CONTAINER_URL,
  DEFAULT_REGION,
  DEFAULT_RUNTIME_PORT,
  type SageMakerStandInOptions,
} from './options.js';
export { createSageMakerStandIn, type SageMakerStandIn } from './stand-in.js';
export type { EndPolicy } from './stream-end.js';
