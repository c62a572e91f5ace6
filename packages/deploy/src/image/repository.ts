import type { CreateRepositoryCommandInput, ImageDetail } from '@aws-sdk/client-ecr';
import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { pages } from '../aws/pages.js';
import { DeployError } from '../errors.js';
import { repositoryArn } from './ecr-name.js';
import { IMAGE_LIMITS } from './limits.js';

/** The repository of all images that we make, in the region of `aws`. */
export const DEFAULT_REPOSITORY = 'kikitori';

const TARGET = { repositoryName: DEFAULT_REPOSITORY } as const;

/** An image in ECR, as its list tells it. */
export interface ListedImage {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  /** Media type of the manifest. */
  readonly mediaType: string | undefined;
}

/**
 * Makes the repository when it is missing, and ends what an earlier run began to make. @returns Whether it was missing
 *
 * Tags are immutable: ours are made from the content, so a tag that could be moved would only let somebody put another image
 * behind one that was looked at. Images are scanned as they come. Nothing that has a tag is ever removed by a rule, however old:
 * an endpoint that adds an instance pulls its image again, months after it was pushed. What lost its tag goes after two weeks.
 */
export async function ensureRepository(
  aws: Aws,
  accountId: string,
  tags: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  if (await hasRepository(aws, signal)) {
    // Made a moment ago by a run that broke off: its rule may be missing. A repository of somebody else is left as it is.
    const isHalfMade =
      (await listImages(aws, signal)).length === 0 &&
      (await isOurs(aws, accountId, Object.keys(tags), signal));
    if (isHalfMade) await putLifecycle(aws, signal);
    return false;
  }
  const input: CreateRepositoryCommandInput = {
    ...TARGET,
    imageTagMutability: 'IMMUTABLE',
    imageScanningConfiguration: { scanOnPush: true },
    encryptionConfiguration: { encryptionType: 'AES256' },
    tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
  try {
    await aws.ask('ecr', (sdk) => new sdk.CreateRepositoryCommand(input), signal);
  } catch (error) {
    // Somebody was faster, or an answer was lost.
    if (isRefusal(error, 'RepositoryAlreadyExistsException')) return false;
    throw error;
  }
  await putLifecycle(aws, signal);
  return true;
}

async function putLifecycle(aws: Aws, signal: AbortSignal): Promise<void> {
  const input = { ...TARGET, lifecyclePolicyText: lifecyclePolicy() };
  await aws.ask('ecr', (sdk) => new sdk.PutLifecyclePolicyCommand(input), signal);
}

/** Whether the repository has all of these tags, which it gets when we make it. */
export async function isOurs(
  aws: Aws,
  accountId: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const resourceArn = repositoryArn({ accountId, region: aws.region, repository: DEFAULT_REPOSITORY });
  const { tags = [] } = await aws.ask(
    'ecr',
    (sdk) => new sdk.ListTagsForResourceCommand({ resourceArn }),
    signal,
  );
  return keys.length > 0 && keys.every((key) => tags.some(({ Key }) => Key === key));
}

function lifecyclePolicy(): string {
  return JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        description: `Images without a tag go after ${IMAGE_LIMITS.untaggedDays} days`,
        selection: {
          tagStatus: 'untagged',
          countType: 'sinceImagePushed',
          countUnit: 'days',
          countNumber: IMAGE_LIMITS.untaggedDays,
        },
        action: { type: 'expire' },
      },
    ],
  });
}

async function hasRepository(aws: Aws, signal: AbortSignal): Promise<boolean> {
  try {
    const input = { repositoryNames: [DEFAULT_REPOSITORY] };
    await aws.ask('ecr', (sdk) => new sdk.DescribeRepositoriesCommand(input), signal);
    return true;
  } catch (error) {
    if (isRefusal(error, 'RepositoryNotFoundException')) return false;
    throw error;
  }
}

/** The image of a tag; undefined where there is none, or no such repository. */
export async function findImage(
  aws: Aws,
  imageTag: string,
  signal: AbortSignal,
): Promise<ListedImage | undefined> {
  try {
    const input = { ...TARGET, imageIds: [{ imageTag }] };
    const { imageDetails: [found] = [] } = await aws.ask(
      'ecr',
      (sdk) => new sdk.DescribeImagesCommand(input),
      signal,
    );
    return found === undefined ? undefined : listed(found);
  } catch (error) {
    if (error instanceof DeployError && error.code === 'image_missing') return undefined;
    throw error;
  }
}

/** Every image of the repository; none where there is no such repository. */
export async function listImages(aws: Aws, signal: AbortSignal): Promise<readonly ListedImage[]> {
  const found: ListedImage[] = [];
  const all = pages(
    IMAGE_LIMITS.listPagesMax,
    (nextToken) => aws.ask('ecr', (sdk) => new sdk.DescribeImagesCommand({ ...TARGET, nextToken }), signal),
    ({ nextToken }) => nextToken,
  );
  try {
    for await (const { imageDetails = [] } of all) {
      found.push(...imageDetails.flatMap((detail) => listed(detail) ?? []));
    }
  } catch (error) {
    if (isRefusal(error, 'RepositoryNotFoundException')) return [];
    throw error;
  }
  return found;
}

function listed(detail: ImageDetail): ListedImage | undefined {
  const { imageDigest: digest, imageTags: tags = [], imageSizeInBytes: sizeBytes = 0 } = detail;
  return digest === undefined
    ? undefined
    : { digest, tags, sizeBytes, mediaType: detail.imageManifestMediaType };
}

/** Gives an image that is there another tag. One that it has already is no failure. */
export async function tagImage(
  aws: Aws,
  imageDigest: string,
  imageTag: string,
  signal: AbortSignal,
): Promise<void> {
  const asked = { ...TARGET, imageIds: [{ imageDigest }] };
  const { images: [image] = [] } = await aws.ask('ecr', (sdk) => new sdk.BatchGetImageCommand(asked), signal);
  if (image?.imageManifest === undefined) throw new DeployError('image_missing');
  const { imageManifest, imageManifestMediaType } = image;
  const input = { ...TARGET, imageManifest, imageManifestMediaType, imageDigest, imageTag };
  try {
    await aws.ask('ecr', (sdk) => new sdk.PutImageCommand(input), signal);
  } catch (error) {
    if (!isRefusal(error, 'ImageAlreadyExistsException')) throw error;
  }
}

/** A password for the registries of this region; twelve hours long. For a program's standard input, and for nothing else. */
export async function registryPassword(aws: Aws, signal: AbortSignal): Promise<string> {
  const { authorizationData: [data] = [] } = await aws.ask(
    'ecr',
    (sdk) => new sdk.GetAuthorizationTokenCommand({}),
    signal,
  );
  const decoded = Buffer.from(data?.authorizationToken ?? '', 'base64').toString('utf8');
  const [, password = ''] = /^AWS:([\x21-\x7e]+)$/.exec(decoded) ?? [];
  if (password === '') throw new DeployError('aws_failed');
  return password;
}
