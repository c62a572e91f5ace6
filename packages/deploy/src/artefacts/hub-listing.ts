import { type HubAccess, type HubListing, listHubFiles } from '@kikitori/core/hub';
import { watched } from '../watchdog.js';
import type { HubModel } from './hub-access.js';
import { toHubError } from './hub-error.js';
import { type RetryOptions, retry } from './retry.js';

export interface ListOptions extends RetryOptions {
  readonly access: HubAccess;
  readonly stallTimeoutMs: number;
}

/**
 * Asks the hub which commit a revision is, and what lies at the top of the repository there. Folders are left out: vLLM reads
 * none.
 *
 * @throws DeployError `hub_refused`, `hub_not_found`, `hub_unreachable`
 */
export async function listHubModel(model: HubModel, options: ListOptions): Promise<HubListing> {
  const { access, signal, stallTimeoutMs } = options;
  try {
    const listing = await retry(
      () => watched(stallTimeoutMs, signal, (each) => listHubFiles(model, { access, signal: each })),
      options,
    );
    return { ...listing, files: listing.files.filter(({ path }) => !path.includes('/')) };
  } catch (error) {
    signal.throwIfAborted();
    throw toHubError(error);
  }
}
