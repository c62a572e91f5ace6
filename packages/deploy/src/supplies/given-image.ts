import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { arns, parseImageUri } from '../names.js';
import { givenImagePermissions } from '../plan/permissions.js';
import type { Check, GivenImage, Supply } from './supply.js';

/** An image that somebody has pushed: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`. Throws `DeployError` `invalid_setting`. */
export function givenImage(aws: Aws, imageUri: string, partition: string): Supply<GivenImage> {
  const parsed = parseImageUri(imageUri);
  if (parsed === undefined) {
    throw new DeployError('invalid_setting', {
      sentence:
        'SageMaker takes images from ECR only: --image is like 123456789012.dkr.ecr.us-east-1.amazonaws.com/NAME:TAG, with a tag or a digest.',
    });
  }
  const { account, region, repository } = parsed;
  if (region !== aws.region) {
    throw new DeployError('invalid_setting', {
      sentence:
        'The image is in another region than the endpoint; SageMaker pulls from its own. Push it there, or change --region.',
    });
  }
  const repositoryArn = arns({ region, account, partition }).repository(repository);
  const given: GivenImage = { imageUri, repositoryArn };
  return {
    summary: `use the image ${imageUri}`,
    permissions: givenImagePermissions(repositoryArn),
    check: ({ signal }) => check(aws, imageUri, { account, repository }, signal),
    ensure: async ({ onProgress }) => {
      onProgress({ step: 'image', kind: 'skip', text: `Image ${imageUri}` });
      return given;
    },
    list: async () => [],
    remove: async () => [`the image ${imageUri}: it was named, not made`],
  };
}

async function check(
  aws: Aws,
  imageUri: string,
  { account, repository }: { readonly account: string; readonly repository: string },
  signal: AbortSignal,
): Promise<Check> {
  const name = 'image';
  const { sdk, client } = await aws.ecr();
  const [, digest] = /@(sha256:[a-f0-9]+)$/.exec(imageUri) ?? [];
  const imageId =
    digest === undefined
      ? { imageTag: imageUri.slice(imageUri.lastIndexOf(':') + 1) }
      : { imageDigest: digest };
  try {
    await aws.call(
      (options) =>
        client.send(
          new sdk.DescribeImagesCommand({
            registryId: account,
            repositoryName: repository,
            imageIds: [imageId],
          }),
          options,
        ),
      { signal },
    );
    return { name, state: 'ok', text: imageUri, remedy: '' };
  } catch (error) {
    if (isRefusal(error, 'ImageNotFoundException') || isRefusal(error, 'RepositoryNotFoundException')) {
      return {
        name,
        state: 'missing',
        text: `there is no image ${imageUri}`,
        remedy: 'Push it (docs/containers.md), or leave --image out to have it built.',
      };
    }
    if (error instanceof DeployError && error.code === 'access_denied') {
      return {
        name,
        state: 'unknown',
        text: `these credentials may not look at ${imageUri}`,
        remedy: 'Allow ecr:DescribeImages.',
      };
    }
    throw error;
  }
}
