import type { Aws } from '../aws/aws.js';
import { DeployError } from '../errors.js';
import { parseEcrName, repositoryArn } from '../image/ecr-name.js';
import { checkImage } from '../image/image-check.js';
import { givenImagePermissions } from '../plan/permissions.js';
import { asCheck } from './as-check.js';
import { type GivenImage, LOOKED_AT, type Supply } from './supply.js';

/**
 * An image that somebody has pushed: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`. The stack gets it by its digest, so that a tag that is moved
 * changes nothing until the next `deploy`. Throws `DeployError` `invalid_setting`.
 */
export function givenImage(aws: Aws, imageUri: string): Supply<GivenImage> {
  const name = parseEcrName(imageUri);
  if (name === undefined) {
    throw new DeployError('invalid_setting', {
      sentence:
        'SageMaker takes images from ECR only: --image is like 123456789012.dkr.ecr.us-east-1.amazonaws.com/NAME:TAG.',
    });
  }
  return {
    summary: `use the image ${imageUri}`,
    minutes: LOOKED_AT,
    permissions: givenImagePermissions(repositoryArn(name)),
    check: (signal) =>
      asCheck('image', async () => {
        const { uri, warnings } = await checkImage(aws, imageUri, signal);
        return [uri, ...warnings].join('. ');
      }),
    ensure: async ({ signal, onProgress }) => {
      const found = await checkImage(aws, imageUri, signal);
      onProgress({ step: 'image', kind: 'skip', text: `Image ${found.uri}` });
      return { imageUri: found.uri, repositoryArn: found.repositoryArn };
    },
  };
}
