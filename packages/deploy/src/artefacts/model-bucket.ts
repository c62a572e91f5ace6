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
import { ARTEFACT_LIMITS, TRANSFER_DEFAULTS } from './limits.js';
import { statusOf } from './network-failure.js';
import { type RetryOptions, retry } from './retry.js';
import { toS3Error } from './s3-error.js';

/** A bucket of ours, for models. */
export interface ModelBucket {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** Account that it must belong to. */
  readonly accountId: string;
  readonly signal?: AbortSignal;
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
  const { s3, bucket, region, signal } = place;
  const abort = signal === undefined ? {} : { abortSignal: signal };
  try {
    const wasThere = await isThere(place);
    if (wasThere && !(await isOnlyBegun(place))) return false;
    if (!wasThere) {
      const where = { LocationConstraint: region as BucketLocationConstraint };
      // The oldest region has no name here.
      const configuration = region === 'us-east-1' ? {} : { CreateBucketConfiguration: where };
      await retry(() => s3.send(new CreateBucketCommand({ Bucket: bucket, ...configuration }), abort), {
        ...TRANSFER_DEFAULTS,
        signal,
      });
    }
    await configure(place, tags);
    return !wasThere;
  } catch (error) {
    signal?.throwIfAborted();
    throw toS3Error(error);
  }
}

/** Who may read it, what ends by itself, and at last whose it is. */
async function configure(
  { s3, bucket, accountId, signal }: ModelBucket,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const target = { Bucket: bucket, ExpectedBucketOwner: accountId };
  const abort = signal === undefined ? {} : { abortSignal: signal };
  const retrying: RetryOptions = { ...TRANSFER_DEFAULTS, signal };
  const PublicAccessBlockConfiguration = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  await retry(
    () => s3.send(new PutPublicAccessBlockCommand({ ...target, PublicAccessBlockConfiguration }), abort),
    retrying,
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
  await retry(
    () => s3.send(new PutBucketLifecycleConfigurationCommand({ ...target, LifecycleConfiguration }), abort),
    retrying,
  );
  const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  if (TagSet.length === 0) return;
  await retry(
    () => s3.send(new PutBucketTaggingCommand({ ...target, Tagging: { TagSet } }), abort),
    retrying,
  );
}

/** Keys of the bucket's tags. */
async function tagsOf({ s3, bucket, accountId, signal }: ModelBucket): Promise<readonly string[]> {
  try {
    const { TagSet = [] } = await s3.send(
      new GetBucketTaggingCommand({ Bucket: bucket, ExpectedBucketOwner: accountId }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    return TagSet.flatMap(({ Key }) => Key ?? []);
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchTagSet') return [];
    throw error;
  }
}

async function isOnlyBegun(place: ModelBucket): Promise<boolean> {
  const { s3, bucket, accountId, signal } = place;
  if ((await tagsOf(place)).length > 0) return false;
  const { KeyCount = 0 } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, ExpectedBucketOwner: accountId, MaxKeys: 1 }),
    signal === undefined ? {} : { abortSignal: signal },
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
  const { s3, bucket, accountId, signal } = place;
  try {
    if (!(await isThere(place))) return 'absent';
    const tags = await tagsOf(place);
    if (tags.length > 0 && !tags.includes(ownTag)) return 'foreign';
    await s3.send(
      new DeleteBucketCommand({ Bucket: bucket, ExpectedBucketOwner: accountId }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    return 'gone';
  } catch (error) {
    signal?.throwIfAborted();
    const name = error instanceof Error ? error.name : '';
    if (name === 'NoSuchBucket') return 'absent';
    if (name === 'BucketNotEmpty') return 'occupied';
    throw toS3Error(error);
  }
}

async function isThere({ s3, bucket, accountId, signal }: ModelBucket): Promise<boolean> {
  const abort = signal === undefined ? {} : { abortSignal: signal };
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: accountId }), abort);
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}
