import type { BucketLocationConstraint } from '@aws-sdk/client-s3';
import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { bucketOf, type Place } from '../names.js';

interface CallOptions {
  readonly signal: AbortSignal;
}

/**
 * The bucket for weights, made where it is missing: private (S3's own default), in the endpoint's region. Rejects with `DeployError`
 * `bucket_unusable` where somebody else has that name.
 */
export async function ensureBucket(aws: Aws, place: Place, { signal }: CallOptions): Promise<void> {
  const bucket = bucketOf(place);
  const { sdk, client } = await aws.s3();
  try {
    await aws.call(
      (options) =>
        client.send(
          new sdk.CreateBucketCommand({
            Bucket: bucket,
            // The oldest region is the one that must not be named.
            ...(place.region === 'us-east-1'
              ? {}
              : { CreateBucketConfiguration: { LocationConstraint: constraintOf(place.region) } }),
          }),
          options,
        ),
      { signal },
    );
  } catch (error) {
    if (isRefusal(error, 'BucketAlreadyOwnedByYou')) return;
    if (isRefusal(error, 'BucketAlreadyExists')) {
      throw new DeployError('bucket_unusable', {
        sentence: `Somebody else has a bucket of the name ${bucket}; put the weights into one of yours and name it with --model-s3.`,
        cause: error,
      });
    }
    throw error;
  }
}

/** Removes the bucket where nothing is left in it; else says what stays. */
export async function removeBucketIfEmpty(
  aws: Aws,
  place: Place,
  { signal }: CallOptions,
): Promise<readonly string[]> {
  const bucket = bucketOf(place);
  const { sdk, client } = await aws.s3();
  try {
    await aws.call(
      (options) =>
        client.send(
          new sdk.DeleteBucketCommand({ Bucket: bucket, ExpectedBucketOwner: place.account }),
          options,
        ),
      { signal },
    );
  } catch (error) {
    if (isRefusal(error, 'NoSuchBucket')) return [];
    if (!isRefusal(error, 'BucketNotEmpty')) throw error;
    return [`the bucket ${bucket}: other models are in it`];
  }
  return [];
}

function constraintOf(region: string): BucketLocationConstraint {
  // The client's list of regions grows; S3 knows the ones that are newer than it.
  return region as BucketLocationConstraint;
}
