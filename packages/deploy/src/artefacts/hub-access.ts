import { type HubAccess, type HubName, parseHubName, hubAccess as readAccess } from '@kikitori/core/hub';
import { DeployError } from '../errors.js';
import { toHubError } from './hub-error.js';

/** A repository of a hub at a branch, a tag or a commit. */
export interface HubModel extends HubName {
  readonly revision: string;
}

/** What is deployed when nothing else is said: the commit pins every byte. Apache-2.0, 8.9 GB in the Mistral format. */
export const VOXTRAL_REALTIME: HubModel = {
  repository: 'mistralai/Voxtral-Mini-4B-Realtime-2602',
  revision: '2769294da9567371363522aac9bbcfdd19447add',
};

/**
 * Where the hub is, by the environment.
 *
 * @throws DeployError `invalid_setting`
 */
export function hubAccess(env: Readonly<Record<string, string | undefined>>): HubAccess {
  try {
    return readAccess(env);
  } catch (error) {
    throw toHubError(error);
  }
}

/**
 * Reads `owner/name`, with `@revision` behind it if wanted and `hf:` in front if liked.
 *
 * @throws DeployError `invalid_setting`
 */
export function parseHubModel(name: string): HubModel {
  const model = parseHubName(name);
  if (model === undefined) {
    throw new DeployError('invalid_setting', {
      sentence: 'A model of the hub is named owner/name, with @revision behind it if wanted.',
    });
  }
  const { repository } = model;
  const usual = repository === VOXTRAL_REALTIME.repository ? VOXTRAL_REALTIME.revision : 'main';
  return { repository, revision: model.revision ?? usual };
}
