import {
  checkStoredModel,
  copyModel,
  ensureModelBucket,
  formatS3Uri,
  type HubAccess,
  type HubModel,
  modelBucketName,
  modelKeyPrefix,
  parseS3Uri,
  planModelCopy,
  removeModelBucket,
  removeStoredModel,
} from '../artefacts/index.js';
import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { ENDPOINT_TAG, type Place } from '../names.js';
import { givenWeightsPermissions, weightsPermissions } from '../plan/permissions.js';
import { asCheck } from './as-check.js';
import type { GivenWeights, Supply, SupplyOptions } from './supply.js';

/** Weights that somebody has put into S3: `s3://BUCKET/PREFIX/`. Throws `DeployError` `invalid_setting`. */
export function givenWeights(aws: Aws, uri: string, place: Place): Supply<GivenWeights> {
  const location = parseS3Uri(uri);
  const { bucket, prefix } = location;
  if (prefix === '') {
    throw new DeployError('invalid_setting', {
      sentence: 'Name the folder of the weights in the bucket: --model-s3 s3://BUCKET/PREFIX/.',
    });
  }
  const named = formatS3Uri(location);
  return {
    summary: `use the weights in ${named}`,
    permissions: givenWeightsPermissions(bucket, prefix, place),
    check: ({ signal }) =>
      asCheck('weights', async () => {
        const { client } = await aws.s3();
        const { totalBytes } = await checkStoredModel({
          s3: client,
          uri: named,
          region: place.region,
          signal,
        });
        return `${named}, ${gigabytes(totalBytes)}`;
      }),
    ensure: async ({ onProgress }) => {
      onProgress({ step: 'weights', kind: 'skip', text: `Weights in ${named}` });
      return { bucket, prefix };
    },
    list: async () => [],
    remove: async () => [`the weights in ${named}: they were named, not brought`],
  };
}

/** Weights of a hub, copied into a bucket of this account. */
export function hubWeights(aws: Aws, model: HubModel, access: HubAccess, place: Place): Supply<GivenWeights> {
  const bucket = modelBucketName(place.account, place.region);
  const prefix = modelKeyPrefix(model);
  const destination = formatS3Uri({ bucket, prefix });
  return {
    summary: `copy ${model.repository}@${model.revision.slice(0, 12)} from ${new URL(access.endpoint).host} to ${destination}`,
    permissions: weightsPermissions(bucket, place),
    check: ({ signal }) =>
      asCheck('weights', async () => {
        const { totalBytes, files } = await planModelCopy({ model, destination, access, signal });
        return `${model.repository}: ${files.length} files, ${gigabytes(totalBytes)}`;
      }),
    async ensure({ signal, onProgress }) {
      const { client } = await aws.s3();
      onProgress({
        step: 'weights',
        kind: 'begin',
        text: `Weights of ${model.repository} to ${destination}`,
      });
      await ensureModelBucket(
        { s3: client, bucket, region: place.region, accountId: place.account, signal },
        { [ENDPOINT_TAG]: 'shared' },
      );
      const { sentBytes, totalBytes } = await copyModel({
        s3: client,
        bucketOwner: place.account,
        model,
        destination,
        access,
        signal,
        onProgress: ({ path, doneBytes, totalBytes: total, bytesPerSecond }) =>
          onProgress({
            step: 'weights',
            kind: 'note',
            text: `${path}, ${gigabytes(bytesPerSecond)} a second`,
            fraction: { done: doneBytes, total, unit: 'bytes' },
          }),
      });
      const text =
        sentBytes === 0
          ? `Weights are there (${gigabytes(totalBytes)})`
          : `Weights sent: ${gigabytes(sentBytes)}`;
      onProgress({ step: 'weights', kind: sentBytes === 0 ? 'skip' : 'done', text });
      return { bucket, prefix };
    },
    list: ({ signal }) => listOwn(aws, place, signal),
    remove: (options) => removeOwn(aws, destination, place, options),
  };
}

/** Weights that the endpoint has, whoever put them there: nothing is copied. Those in our own bucket can be removed. */
export function keptWeights(aws: Aws, { bucket, prefix }: GivenWeights, place: Place): Supply<GivenWeights> {
  const uri = formatS3Uri({ bucket, prefix });
  const given = givenWeights(aws, uri, place);
  if (bucket !== modelBucketName(place.account, place.region)) return given;
  return {
    ...given,
    permissions: weightsPermissions(bucket, place),
    list: ({ signal }) => listOwn(aws, place, signal),
    remove: (options) => removeOwn(aws, uri, place, options),
  };
}

async function listOwn(aws: Aws, place: Place, signal: AbortSignal): Promise<readonly string[]> {
  const bucket = modelBucketName(place.account, place.region);
  const { sdk, client } = await aws.s3();
  const target = { Bucket: bucket, Prefix: 'models/', ExpectedBucketOwner: place.account };
  try {
    const { KeyCount = 0 } = await aws.call(
      (options) => client.send(new sdk.ListObjectsV2Command(target), options),
      {
        signal,
      },
    );
    if (KeyCount === 0) return [];
    return [
      `weights in s3://${bucket}/models/ (about $0.023 a GB and month); "kikitori destroy --all" removes them`,
    ];
  } catch (error) {
    if (isRefusal(error, 'NoSuchBucket')) return [];
    if (error instanceof DeployError && error.code === 'access_denied') {
      return [`perhaps weights in s3://${bucket}/models/: these credentials may not look`];
    }
    throw error;
  }
}

async function removeOwn(
  aws: Aws,
  uri: string,
  place: Place,
  { signal, onProgress }: SupplyOptions,
): Promise<readonly string[]> {
  const { client } = await aws.s3();
  const kept = await removeStoredModel({ s3: client, uri, bucketOwner: place.account, signal });
  if (kept.length > 0) return [`${kept.length} objects in ${uri} that S3 did not give up`];
  onProgress({ step: 'weights', kind: 'done', text: `The weights in ${uri} are gone` });
  const bucket = modelBucketName(place.account, place.region);
  const ofAccount = { region: place.region, accountId: place.account };
  const isGone = await removeModelBucket({ s3: client, bucket, ...ofAccount, signal });
  return isGone ? [] : [`the bucket ${bucket}: other models are in it`];
}

function gigabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
