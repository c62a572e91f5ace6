import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { parseEcrName } from '../image/ecr-name.js';
import { endpointOf } from '../image/image-tag.js';
import { DEFAULT_REPOSITORY, isOurs, type ListedImage, listImages } from '../image/repository.js';
import { ENDPOINT_TAG } from '../names.js';
import type { ModelUse } from './model-users.js';
import type { SweepOptions } from './sweep.js';

/**
 * The images that `deploy` has pushed for an endpoint: listed, or with `isAll` removed, and the repository with them where nothing else is in it.
 * What another endpoint or model uses stays. Resolves with what is left, a line each.
 */
export async function sweepImages(aws: Aws, options: SweepOptions): Promise<readonly string[]> {
  const { endpointName, isAll, signal, onProgress } = options;
  let images: readonly ListedImage[];
  try {
    images = await listImages(aws, signal);
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'access_denied') throw error;
    return [`perhaps images in the ECR repository ${DEFAULT_REPOSITORY}: these credentials may not look`];
  }
  const own = images.filter(({ tags }) => tags.some((tag) => endpointOf(tag) === endpointName));
  if (!isAll) return own.length === 0 ? [] : [`${named(own)}; "kikitori destroy --all" removes them`];
  const left: string[] = [];
  const uses = own.length === 0 ? [] : await options.uses();
  for (const image of own) {
    // Where it has another tag as well, the image stays by itself.
    const isShared = image.tags.some((tag) => endpointOf(tag) !== endpointName);
    const why = isShared ? undefined : whyStays(image, uses);
    if (why !== undefined) {
      left.push(`the image ${image.tags.join(', ')} in the ECR repository ${DEFAULT_REPOSITORY}: ${why}`);
      continue;
    }
    const tags = image.tags.filter((tag) => endpointOf(tag) === endpointName);
    const input = { repositoryName: DEFAULT_REPOSITORY, imageIds: tags.map((imageTag) => ({ imageTag })) };
    // What is not there any more is told among the failures of the answer, and is none.
    await aws.ask('ecr', (sdk) => new sdk.BatchDeleteImageCommand(input), signal);
    onProgress({ step: 'image', kind: 'done', text: `${tags.join(', ')} is gone from ECR` });
  }
  return [...left, ...(await sweepRepository(aws, options))];
}

function named(images: readonly ListedImage[]): string {
  const gigabytes = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / 1e9;
  const count = images.length === 1 ? '1 image' : `${images.length} images`;
  return `${count} of it in the ECR repository ${DEFAULT_REPOSITORY}, ${gigabytes.toFixed(1)} GB at most (about $0.10 a GB and month)`;
}

/** Why an image cannot go: a model that is not this endpoint's any more uses it. */
function whyStays({ digest, tags }: ListedImage, uses: readonly ModelUse[] | undefined): string | undefined {
  if (uses === undefined)
    return 'these credentials may not look whether a model uses it (sagemaker:ListModels)';
  const users = uses.filter(({ images }) =>
    images.some((image) => {
      const name = parseEcrName(image);
      if (name?.repository !== DEFAULT_REPOSITORY) return false;
      return name.digest === digest || (name.tag !== undefined && tags.includes(name.tag));
    }),
  );
  return users.length === 0 ? undefined : `used by ${users.map(({ model }) => model).join(', ')}`;
}

/** The repository itself, where we made it and it is empty; else who else is in it. */
async function sweepRepository(
  aws: Aws,
  { endpointName, place, signal, onProgress }: SweepOptions,
): Promise<readonly string[]> {
  const others = (await listImages(aws, signal)).filter(
    ({ tags }) => !tags.some((tag) => endpointOf(tag) === endpointName),
  );
  if (others.length > 0) {
    const names = new Set(others.flatMap(({ tags }) => tags.map((tag) => endpointOf(tag) ?? tag)));
    const who = names.size === 0 ? 'images without a tag' : `images of ${[...names].slice(0, 5).join(', ')}`;
    return [`the ECR repository ${DEFAULT_REPOSITORY}: ${who} (${others.length} in all)`];
  }
  try {
    if (!(await isOurs(aws, place.account, [ENDPOINT_TAG], signal))) {
      return [`the ECR repository ${DEFAULT_REPOSITORY}: it was there before`];
    }
    const input = { repositoryName: DEFAULT_REPOSITORY };
    await aws.ask('ecr', (sdk) => new sdk.DeleteRepositoryCommand(input), signal);
  } catch (error) {
    if (isRefusal(error, 'RepositoryNotFoundException')) return [];
    if (!isRefusal(error, 'RepositoryNotEmptyException')) throw error;
    return [`the ECR repository ${DEFAULT_REPOSITORY}: images are in it`];
  }
  onProgress({ step: 'image', kind: 'done', text: `The ECR repository ${DEFAULT_REPOSITORY} is gone` });
  return [];
}
