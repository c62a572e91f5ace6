import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  HeadBucketCommand,
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
 * after a week. A bucket that is there is left as it is. @returns Whether it was missing
 *
 * @throws DeployError `access_denied` also where the name is taken by another account; `aws_…`; or the signal's reason
 */
export async function ensureModelBucket(
  place: ModelBucket,
  tags: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const { s3, bucket, region, accountId, signal } = place;
  const target = { Bucket: bucket, ExpectedBucketOwner: accountId };
  const abort = signal === undefined ? {} : { abortSignal: signal };
  const retrying: RetryOptions = { ...TRANSFER_DEFAULTS, signal };
  try {
    if (await isThere(place)) return false;
    const where = { LocationConstraint: region as BucketLocationConstraint };
    // The oldest region has no name here.
    const configuration = region === 'us-east-1' ? {} : { CreateBucketConfiguration: where };
    await retry(
      () => s3.send(new CreateBucketCommand({ Bucket: bucket, ...configuration }), abort),
      retrying,
    );
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
    const DaysAfterInitiation = Math.round(ARTEFACT_LIMITS.uploadAgeMsMax / 86_400_000);
    const Rules = [
      {
        ID: 'unfinished-uploads',
        Status: 'Enabled' as const,
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation },
      },
    ];
    await retry(
      () =>
        s3.send(
          new PutBucketLifecycleConfigurationCommand({ ...target, LifecycleConfiguration: { Rules } }),
          abort,
        ),
      retrying,
    );
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    if (TagSet.length > 0) {
      await retry(
        () => s3.send(new PutBucketTaggingCommand({ ...target, Tagging: { TagSet } }), abort),
        retrying,
      );
    }
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    throw toS3Error(error);
  }
}

/** Removes the bucket when it is empty. @returns False when something is left in it; a bucket that is gone counts as removed */
export async function removeModelBucket({ s3, bucket, accountId, signal }: ModelBucket): Promise<boolean> {
  try {
    await s3.send(
      new DeleteBucketCommand({ Bucket: bucket, ExpectedBucketOwner: accountId }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    const name = error instanceof Error ? error.name : '';
    if (name === 'NoSuchBucket') return true;
    if (name === 'BucketNotEmpty') return false;
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
