import { type ModelBucket, modelBucketName, removeModelBucket } from '../artefacts/model-bucket.js';
import { type BucketUse, dropUse, listUses, sizeOf } from '../artefacts/model-uses.js';
import { formatS3Uri } from '../artefacts/s3-location.js';
import { removeStoredModel } from '../artefacts/stored-model.js';
import { gigabytes } from '../artefacts/transfer-progress.js';
import type { Aws } from '../aws/aws.js';
import { DeployError } from '../errors.js';
import { ENDPOINT_TAG } from '../names.js';
import type { ModelUse } from './model-users.js';
import type { SweepOptions } from './sweep.js';

/**
 * The weights that `deploy` has copied for an endpoint: listed, or with `isAll` removed, and the bucket with them where nothing else is in it. What
 * another endpoint or model uses stays. Resolves with what is left, a line each.
 */
export async function sweepWeights(aws: Aws, options: SweepOptions): Promise<readonly string[]> {
  const { endpointName, place, isAll, signal } = options;
  const bucket = modelBucketName(place.account, place.region);
  const { region, account: bucketOwner } = place;
  const inBucket: ModelBucket = { s3: await aws.s3(), bucket, region, bucketOwner, signal };
  try {
    const all = await listUses(inBucket);
    const own = all.filter((use) => use.endpointName === endpointName);
    if (!isAll) return await Promise.all(own.map((use) => listed(inBucket, use)));
    const left: string[] = [];
    const uses = own.length === 0 ? [] : await options.uses();
    for (const use of own) left.push(...(await removeOne(inBucket, use, { all, uses }, options)));
    return [...left, ...(await sweepBucket(inBucket, options))];
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'access_denied') throw error;
    return [`perhaps weights in s3://${bucket}/: these credentials may not look, or not remove them`];
  }
}

async function listed(place: ModelBucket, { prefix }: BucketUse): Promise<string> {
  const size = gigabytes(await sizeOf(place, prefix));
  const uri = formatS3Uri({ bucket: place.bucket, prefix });
  return `the weights in ${uri}, ${size} (about $0.023 a GB and month); "kikitori destroy --all" removes them`;
}

async function removeOne(
  place: ModelBucket,
  use: BucketUse,
  known: { readonly all: readonly BucketUse[]; readonly uses: readonly ModelUse[] | undefined },
  { onProgress }: SweepOptions,
): Promise<readonly string[]> {
  const uri = formatS3Uri({ bucket: place.bucket, prefix: use.prefix });
  const others = known.all.filter(
    ({ endpointName, prefix }) => prefix === use.prefix && endpointName !== use.endpointName,
  );
  if (others.length > 0) {
    await dropUse(place, use);
    return [`the weights in ${uri}: also of ${others.map(({ endpointName }) => endpointName).join(', ')}`];
  }
  if (known.uses === undefined) {
    return [
      `the weights in ${uri}: these credentials may not look whether a model uses them (sagemaker:ListModels)`,
    ];
  }
  const models = known.uses.filter(({ weights }) => weights.some((one) => one.startsWith(uri)));
  if (models.length > 0) {
    return [`the weights in ${uri}: used by ${models.map(({ model }) => model).join(', ')}`];
  }
  const kept = await removeStoredModel({ ...place, uri });
  if (kept.length > 0) return [`${kept.length} objects in ${uri} that S3 did not give up`];
  await dropUse(place, use);
  onProgress({ step: 'weights', kind: 'done', text: `The weights in ${uri} are gone` });
  return [];
}

async function sweepBucket(place: ModelBucket, { onProgress }: SweepOptions): Promise<readonly string[]> {
  const { bucket } = place;
  const how = await removeModelBucket(place, ENDPOINT_TAG);
  if (how === 'gone') {
    onProgress({ step: 'weights', kind: 'done', text: `The bucket ${bucket} is gone` });
  }
  if (how === 'occupied') return [`the bucket ${bucket}: something else is in it`];
  return how === 'foreign' ? [`the bucket ${bucket}: it was there before`] : [];
}
