/** Speaks to a model on a SageMaker endpoint, over HTTP/2 and event streams. */

export {
  SAGEMAKER_ERRORS,
  SageMakerError,
  type SageMakerErrorReason,
} from '../errors.js';
export { SAGEMAKER_LIMITS } from '../limits.js';
export { createSageMakerConnect } from './connect.js';
export type { SageMakerConnectOptions } from './connect-options.js';
export type { AwsCredentials, AwsCredentialsProvider } from './credentials.js';
export type { InvocationTarget } from './invocation-target.js';
