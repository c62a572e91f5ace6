import { DeployError } from '../errors.js';
import { isTransient, statusOf } from './network-failure.js';

/**
 * The sentence for whatever S3 said. A `DeployError` stays as it is. The error of AWS's client is not kept as the cause: it
 * carries the whole request, with its signature and the session token.
 */
export function toS3Error(error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  const name = error instanceof Error ? error.name : '';
  const cause = { serviceText: name };
  if (name === 'NoSuchBucket' || name === 'NotFound') {
    return new DeployError('bucket_unusable', {
      ...cause,
      sentence: 'There is no such bucket; make it first, or name another one.',
    });
  }
  const status = statusOf(error);
  if (status === 301 || name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed') {
    return new DeployError('bucket_unusable', {
      ...cause,
      sentence:
        'The bucket is in another region. SageMaker reads a model only from a bucket of the endpoint’s own region.',
    });
  }
  if (name === 'NoSuchUpload') {
    return new DeployError('aws_failed', {
      ...cause,
      sentence:
        'The upload was ended by somebody else: by another copy of the same model, or by a rule of the bucket. Run the same command again.',
    });
  }
  if (/^(CredentialsProviderError|NoCredentials)/.test(name)) {
    return new DeployError('credentials_unavailable', cause);
  }
  if (
    /^(ExpiredToken|InvalidAccessKeyId|InvalidToken|SignatureDoesNotMatch|RequestTimeTooSkewed)/.test(name)
  ) {
    return new DeployError('credentials_refused', cause);
  }
  if (status === 403) return new DeployError('access_denied', cause);
  if (status === 503 || status === 429 || /^(SlowDown|Throttling)/.test(name)) {
    return new DeployError('throttled', cause);
  }
  if (status === undefined && isTransient(error)) return new DeployError('aws_unreachable', cause);
  return new DeployError('aws_failed', cause);
}
