import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import type { Place } from '../names.js';
import { imagePermissions } from '../plan/permissions.js';
import type { GivenImage, Supply, SupplyOptions } from './supply.js';

/** Where our own images go: one repository for each account and region, shared by its endpoints. */
export const OWN_REPOSITORY = 'kikitori';

const REMEDY =
  'Build the image and push it to ECR (docs/containers.md), then name it with --image ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG.';

/** The image in our own repository. */
export function ownImage(aws: Aws, place: Place): Supply<GivenImage> {
  return {
    summary: `build the image and push it to ${OWN_REPOSITORY}`,
    permissions: imagePermissions(OWN_REPOSITORY, place),
    check: async () => ({ name: 'image', state: 'missing', text: 'none was named', remedy: REMEDY }),
    ensure: async () => {
      throw new DeployError('not_ready', { sentence: REMEDY });
    },
    list: ({ signal }) => listOwn(aws, signal),
    remove: (options) => removeOwn(aws, options),
  };
}

async function listOwn(aws: Aws, signal: AbortSignal): Promise<readonly string[]> {
  const { sdk, client } = await aws.ecr();
  try {
    const { imageDetails = [] } = await aws.call(
      (options) => client.send(new sdk.DescribeImagesCommand({ repositoryName: OWN_REPOSITORY }), options),
      { signal },
    );
    const gigabytes = imageDetails.reduce((sum, { imageSizeInBytes = 0 }) => sum + imageSizeInBytes, 0) / 1e9;
    return [
      `the ECR repository ${OWN_REPOSITORY}: ${imageDetails.length} images, ${gigabytes.toFixed(1)} GB (about $0.10 a GB and month); "kikitori destroy --all" removes it`,
    ];
  } catch (error) {
    if (isRefusal(error, 'RepositoryNotFoundException')) return [];
    if (error instanceof DeployError && error.code === 'access_denied') {
      return [`perhaps the ECR repository ${OWN_REPOSITORY}: these credentials may not look`];
    }
    throw error;
  }
}

async function removeOwn(aws: Aws, { signal, onProgress }: SupplyOptions): Promise<readonly string[]> {
  const { sdk, client } = await aws.ecr();
  try {
    await aws.call(
      (options) =>
        client.send(
          new sdk.DeleteRepositoryCommand({ repositoryName: OWN_REPOSITORY, force: true }),
          options,
        ),
      { signal },
    );
  } catch (error) {
    if (!isRefusal(error, 'RepositoryNotFoundException')) throw error;
    return [];
  }
  onProgress({
    step: 'image',
    kind: 'done',
    text: `The ECR repository ${OWN_REPOSITORY} is gone, with all its images`,
  });
  return [];
}
