import { statusOf } from '../artefacts/network-failure.js';
import { DeployError } from '../errors.js';

/**
 * The sentence for whatever ECR said. A `DeployError` stays as it is. The error of AWS's client is not kept as the cause: it
 * carries the whole request, with its signature and the session token.
 */
export function toEcrError(error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  const name = error instanceof Error ? error.name : '';
  const said = { serviceText: name };
  if (/^(CredentialsProviderError|NoCredentials)/.test(name)) {
    return new DeployError('credentials_unavailable', said);
  }
  if (
    /^(ExpiredToken|UnrecognizedClient|InvalidSignature|InvalidClientTokenId|IncompleteSignature)/.test(name)
  ) {
    return new DeployError('credentials_refused', said);
  }
  if (/^(ImageNotFound|RepositoryNotFound)/.test(name)) return new DeployError('image_missing', said);
  if (name === 'LimitExceededException') {
    return new DeployError('aws_failed', {
      ...said,
      sentence: 'This account has as many ECR repositories as it may; remove one, or ask AWS for more.',
    });
  }
  if (/^(Throttling|TooManyRequests)/.test(name)) return new DeployError('throttled', said);
  const status = statusOf(error);
  if (/^AccessDenied/.test(name) || status === 403) return new DeployError('access_denied', said);
  return new DeployError(status === undefined ? 'aws_unreachable' : 'aws_failed', said);
}
