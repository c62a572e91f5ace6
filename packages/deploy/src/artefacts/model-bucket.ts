import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketTaggingCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutBucketTaggingCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { statusOf, toDeployError } from '../aws/failure.js';
import { ARTEFACT_LIMITS } from './limits.js';
import { ObjectStore } from './object-store.js';

/** A bucket of ours, for models. */
export interface ModelBucket {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** Account that it must belong to. */
  readonly bucketOwner: string;
  readonly signal: AbortSignal;
}

/** The bucket's name where nothing else is said: one for each account and region, because SageMaker reads no other region's. */
export function modelBucketName(accountId: string, region: string): string {
  return `kikitori-models-${accountId}-${region}`;
}

/**
 * Makes the bucket when it is missing: nobody outside of the account can read it, and parts of uploads that nobody finished go
 * after a week. A bucket that is there is left as it is, unless it is one that was only begun: empty and without tags, which come last.
 * @returns Whether it was missing
 *
 * @throws DeployError `access_denied` also where the name is taken by another account; `aws_…`; or the signal's reason
 */
export async function ensureModelBucket(
  place: ModelBucket,
  tags: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const { bucket, region, signal } = place;
  const store = new ObjectStore(place);
  try {
    const wasThere = await isThere(store, signal);
    if (wasThere && !(await isOnlyBegun(store, signal))) return false;
    if (!wasThere) {
      const where = { LocationConstraint: region as BucketLocationConstraint };
      // The oldest region has no name here.
      const configuration = region === 'us-east-1' ? {} : { CreateBucketConfiguration: where };
      await store.ask(signal, () => new CreateBucketCommand({ Bucket: bucket, ...configuration }));
    }
    await configure(store, tags, signal);
    return !wasThere;
  } catch (error) {
    signal.throwIfAborted();
    throw toDeployError(error);
  }
}

/** Who may read it, what ends by itself, and at last whose it is. */
async function configure(
  store: ObjectStore,
  tags: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const PublicAccessBlockConfiguration = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  await store.ask(
    signal,
    (target) => new PutPublicAccessBlockCommand({ ...target, PublicAccessBlockConfiguration }),
  );
  const unfinished = {
    ID: 'unfinished-uploads',
    Status: 'Enabled' as const,
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: {
      DaysAfterInitiation: Math.round(ARTEFACT_LIMITS.uploadAgeMsMax / 86_400_000),
    },
  };
  const LifecycleConfiguration = { Rules: [unfinished] };
  await store.ask(
    signal,
    (target) => new PutBucketLifecycleConfigurationCommand({ ...target, LifecycleConfiguration }),
  );
  const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  if (TagSet.length === 0) return;
  await store.ask(signal, (target) => new PutBucketTaggingCommand({ ...target, Tagging: { TagSet } }));
}

/** Keys of the bucket's tags. */
async function tagsOf(store: ObjectStore, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const { TagSet = [] } = await store.ask(signal, (target) => new GetBucketTaggingCommand(target));
    return TagSet.flatMap(({ Key }) => Key ?? []);
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchTagSet') return [];
    throw error;
  }
}

async function isOnlyBegun(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  if ((await tagsOf(store, signal)).length > 0) return false;
  const { KeyCount = 0 } = await store.ask(
    signal,
    (target) => new ListObjectsV2Command({ ...target, MaxKeys: 1 }),
  );
  return KeyCount === 0;
}

/** What became of a bucket that should go. */
export type BucketEnd =
  /** It is gone now. */
  | 'gone'
  /** There was none. */
  | 'absent'
  /** Something is in it. */
  | 'occupied'
  /** It is empty, and does not have our tag: somebody else has made it. */
  | 'foreign';

/**
 * Removes the bucket when it is empty and we have made it, which its tag tells; one that was only begun has none yet.
 *
 * @throws DeployError `access_denied`, `aws_…`; or the signal's reason
 */
export async function removeModelBucket(place: ModelBucket, ownTag: string): Promise<BucketEnd> {
  const { signal } = place;
  const store = new ObjectStore(place);
  try {
    if (!(await isThere(store, signal))) return 'absent';
    const tags = await tagsOf(store, signal);
    if (tags.length > 0 && !tags.includes(ownTag)) return 'foreign';
    await store.ask(signal, (target) => new DeleteBucketCommand(target));
    return 'gone';
  } catch (error) {
    signal.throwIfAborted();
    const name = error instanceof Error ? error.name : '';
    if (name === 'NoSuchBucket') return 'absent';
    if (name === 'BucketNotEmpty') return 'occupied';
    throw toDeployError(error);
  }
}

async function isThere(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  try {
    await store.ask(signal, (target) => new HeadBucketCommand(target));
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}
