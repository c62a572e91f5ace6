import type { HubAccess } from '@kikitori/core/hub';
import { copyModel, modelKeyPrefix, planModelCopy } from '../artefacts/copy-model.js';
import type { HubModel } from '../artefacts/hub-access.js';
import { ensureModelBucket, modelBucketName } from '../artefacts/model-bucket.js';
import { noteUse } from '../artefacts/model-uses.js';
import { formatS3Uri, parseS3Uri } from '../artefacts/s3-location.js';
import { checkStoredModel } from '../artefacts/stored-model.js';
import { gigabytes } from '../artefacts/transfer-progress.js';
import type { Aws } from '../aws/aws.js';
import { DeployError } from '../errors.js';
import { ENDPOINT_TAG, type Place } from '../names.js';
import { givenWeightsPermissions, weightsPermissions } from '../plan/permissions.js';
import { asCheck } from './as-check.js';
import { type GivenWeights, LOOKED_AT, type Supply } from './supply.js';

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
    minutes: LOOKED_AT,
    permissions: givenWeightsPermissions(bucket, prefix, place),
    check: (signal) =>
      asCheck('weights', async () => {
        const s3 = await aws.s3();
        const { totalBytes } = await checkStoredModel({ s3, uri: named, region: place.region, signal });
        return `${named}, ${gigabytes(totalBytes)}`;
      }),
    ensure: async ({ onProgress }) => {
      onProgress({ step: 'weights', kind: 'skip', text: `Weights in ${named}` });
      return { bucket, prefix };
    },
  };
}

/** Which weights, from where, and for whom. */
export interface HubWeightsOptions {
  /** It is written down who has them: several endpoints share one copy. */
  readonly endpointName: string;
  readonly model: HubModel;
  readonly access: HubAccess;
}

/** Weights of a hub, copied into a bucket of this account. */
export function hubWeights(
  aws: Aws,
  { endpointName, model, access }: HubWeightsOptions,
  place: Place,
): Supply<GivenWeights> {
  const bucket = modelBucketName(place.account, place.region);
  const prefix = modelKeyPrefix(model);
  const destination = formatS3Uri({ bucket, prefix });
  return {
    summary: `copy ${model.repository}@${model.revision.slice(0, 12)} from ${new URL(access.endpoint).host} to the bucket ${bucket}`,
    minutes: [0, 60],
    permissions: weightsPermissions(bucket, place),
    check: (signal) =>
      asCheck('weights', async () => {
        const { totalBytes, files } = await planModelCopy({ model, destination, access, signal });
        return `${model.repository}: ${files.length} files, ${gigabytes(totalBytes)}`;
      }),
    async ensure({ signal, onProgress }) {
      const s3 = await aws.s3();
      const text = `Weights of ${model.repository} to ${destination}`;
      onProgress({ step: 'weights', kind: 'begin', text });
      const inBucket = { s3, bucket, region: place.region, bucketOwner: place.account, signal };
      await ensureModelBucket(inBucket, { [ENDPOINT_TAG]: 'shared' });
      await noteUse(inBucket, { endpointName, prefix });
      const { sentBytes, totalBytes } = await copyModel({
        ...inBucket,
        model,
        destination,
        access,
        onProgress: ({ path, doneBytes, totalBytes: total, bytesPerSecond }) =>
          onProgress({
            step: 'weights',
            kind: 'note',
            text: `${path}, ${gigabytes(bytesPerSecond)} a second`,
            fraction: { done: doneBytes, total, unit: 'bytes' },
          }),
      });
      onProgress(
        sentBytes === 0
          ? { step: 'weights', kind: 'skip', text: `Weights are there (${gigabytes(totalBytes)})` }
          : { step: 'weights', kind: 'done', text: `Weights sent: ${gigabytes(sentBytes)}` },
      );
      return { bucket, prefix };
    },
  };
}

/** Weights that the endpoint has, whoever put them there: nothing is copied. */
export function keptWeights(aws: Aws, location: GivenWeights, place: Place): Supply<GivenWeights> {
  const given = givenWeights(aws, formatS3Uri(location), place);
  const isOwn = location.bucket === modelBucketName(place.account, place.region);
  return isOwn ? { ...given, permissions: weightsPermissions(location.bucket, place) } : given;
}
