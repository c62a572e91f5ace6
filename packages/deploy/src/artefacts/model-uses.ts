import { toDeployError } from '../aws/failure.js';
import type { ModelBucket } from './model-bucket.js';
import { ObjectStore } from './object-store.js';

/** Beside the models, because SageMaker hands everything below a model's prefix to the container. */
const FOLDER = 'endpoints/';

/** Which endpoint has which model of the bucket. */
export interface BucketUse {
  readonly endpointName: string;
  /** Of the model's keys, with its slash. */
  readonly prefix: string;
}

/**
 * Writes down that an endpoint has a model: an empty object `endpoints/NAME/PREFIX`. Endpoints share what they have in common, and whoever removes
 * one has to know what another needs.
 *
 * @throws DeployError `bucket_unusable`, `access_denied`, `aws_…`; or the signal's reason
 */
export async function noteUse(place: ModelBucket, use: BucketUse): Promise<void> {
  await inBucket(place, async (store) => {
    await store.put(keyOf(use), new Uint8Array(), 'application/octet-stream', place.signal);
  });
}

/** All that is written down; none where there is no bucket. */
export async function listUses(place: ModelBucket): Promise<readonly BucketUse[]> {
  const found = await inBucket(place, (store) => store.list(FOLDER, place.signal));
  return (found ?? []).flatMap(({ key }) => {
    const [, endpointName, prefix] = /^endpoints\/([^/]+)\/(.+\/)$/.exec(key) ?? [];
    return endpointName === undefined || prefix === undefined ? [] : [{ endpointName, prefix }];
  });
}

/** Forgets one. What is not there is no failure. */
export async function dropUse(place: ModelBucket, use: BucketUse): Promise<void> {
  await inBucket(place, (store) => store.remove([keyOf(use)], place.signal));
}

/** How large everything below a prefix is. */
export async function sizeOf(place: ModelBucket, prefix: string): Promise<number> {
  const found = await inBucket(place, (store) => store.list(prefix, place.signal));
  return (found ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function keyOf({ endpointName, prefix }: BucketUse): string {
  return `${FOLDER}${endpointName}/${prefix}`;
}

/** Undefined where there is no such bucket. */
async function inBucket<T>(
  place: ModelBucket,
  work: (store: ObjectStore) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work(new ObjectStore(place));
  } catch (error) {
    place.signal.throwIfAborted();
    if (error instanceof Error && error.name === 'NoSuchBucket') return undefined;
    throw toDeployError(error);
  }
}
