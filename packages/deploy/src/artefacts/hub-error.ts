import { HttpStatusError, HubError, proxySentence } from '@kikitori/core/hub';
import { DeployError } from '../errors.js';

/** The sentence for whatever went wrong between us and a hub. A `DeployError` stays as it is. */
export function toHubError(error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  if (error instanceof HubError) {
    const code = error.code === 'invalid' ? 'invalid_setting' : 'hub_unreachable';
    return new DeployError(code, { cause: error, sentence: error.message });
  }
  const sentence = proxySentence(error);
  if (sentence !== undefined) return new DeployError('hub_unreachable', { cause: error, sentence });
  if (!(error instanceof HttpStatusError)) return new DeployError('hub_unreachable', { cause: error });
  const { status, hubCode } = error;
  if (hubCode === 'GatedRepo') {
    return new DeployError('hub_refused', {
      cause: error,
      sentence:
        'The hub wants its terms for this model accepted first: open the model’s page, accept, and set HF_TOKEN to a token of that account.',
    });
  }
  // The hub says 401 for what is not there as well, so that nobody can guess names.
  if (status === 404 || hubCode === 'RepoNotFound' || hubCode === 'RevisionNotFound') {
    return new DeployError('hub_not_found', { cause: error });
  }
  if (status === 401 || status === 403) return new DeployError('hub_refused', { cause: error });
  if (status === 429) {
    return new DeployError('hub_unreachable', {
      cause: error,
      sentence:
        'The hub counts too many requests from here; wait five minutes, or set HF_TOKEN, then run the same command again.',
    });
  }
  return new DeployError('hub_unreachable', { cause: error });
}
