import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  type ImageDetail,
  ListTagsForResourceCommand,
  PutImageCommand,
  PutLifecyclePolicyCommand,
} from '@aws-sdk/client-ecr';
import { DeployError } from '../errors.js';
import { repositoryArn } from './ecr-name.js';
import { IMAGE_LIMITS } from './limits.js';

/** Where an image is or shall be. */
export interface RepositoryPlace {
  readonly ecr: ECRClient;
  readonly accountId: string;
  readonly repository: string;
  readonly signal: AbortSignal | undefined;
}

/** An image in ECR, as its list tells it. */
export interface ListedImage {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  /** Media type of the manifest. */
  readonly mediaType: string | undefined;
}

const send = (signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } => {
  return signal === undefined ? {} : { abortSignal: signal };
};

/**
 * Makes the repository when it is missing, and ends what an earlier run began to make. @returns Whether it was missing
 *
 * Tags are immutable: ours are made from the content, so a tag that could be moved would only let somebody put another image
 * behind one that was looked at. Images are scanned as they come. Nothing that has a tag is ever removed by a rule, however old:
 * an endpoint that adds an instance pulls its image again, months after it was pushed. What lost its tag goes after two weeks.
 */
export async function ensureRepository(
  place: RepositoryPlace,
  tags: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { ecr, repository, signal } = place;
  if (await hasRepository(place)) {
    // Made a moment ago by a run that broke off: its rule may be missing. A repository of somebody else is left as it is.
    const isHalfMade = (await listImages(place)).length === 0 && (await isOurs(place, Object.keys(tags)));
    if (isHalfMade) await putLifecycle(place);
    return false;
  }
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  try {
    await ecr.send(
      new CreateRepositoryCommand({
        repositoryName: repository,
        imageTagMutability: 'IMMUTABLE',
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: { encryptionType: 'AES256' },
        ...(Tags.length === 0 ? {} : { tags: Tags }),
      }),
      send(signal),
    );
  } catch (error) {
    // Somebody was faster, or an answer was lost.
    if (error instanceof Error && error.name === 'RepositoryAlreadyExistsException') return false;
    throw error;
  }
  await putLifecycle(place);
  return true;
}

async function putLifecycle({ ecr, repository, signal }: RepositoryPlace): Promise<void> {
  await ecr.send(
    new PutLifecyclePolicyCommand({ repositoryName: repository, lifecyclePolicyText: lifecyclePolicy() }),
    send(signal),
  );
}

/** Whether the repository has all of these tags, which it gets when we make it. */
export async function isOurs(place: RepositoryPlace, keys: readonly string[]): Promise<boolean> {
  const { ecr, accountId, repository, signal } = place;
  const region = await ecr.config.region();
  const resourceArn = repositoryArn({ accountId, region, repository });
  const { tags = [] } = await ecr.send(new ListTagsForResourceCommand({ resourceArn }), send(signal));
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

async function hasRepository({ ecr, accountId, repository, signal }: RepositoryPlace): Promise<boolean> {
  try {
    await ecr.send(
      new DescribeRepositoriesCommand({ registryId: accountId, repositoryNames: [repository] }),
      send(signal),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'RepositoryNotFoundException') return false;
    throw error;
  }
}

/** The image of a tag or digest; undefined where there is none, or no such repository. */
export async function findImage(
  { ecr, accountId, repository, signal }: RepositoryPlace,
  id: { readonly imageTag: string } | { readonly imageDigest: string },
): Promise<ListedImage | undefined> {
  try {
    const { imageDetails: [found] = [] } = await ecr.send(
      new DescribeImagesCommand({ registryId: accountId, repositoryName: repository, imageIds: [id] }),
      send(signal),
    );
    return found === undefined ? undefined : listed(found);
  } catch (error) {
    const isMissing =
      error instanceof Error && /^(ImageNotFound|RepositoryNotFound)Exception$/.test(error.name);
    if (isMissing) return undefined;
    throw error;
  }
}

/** Every image of the repository; none where there is no such repository. */
export async function listImages(place: RepositoryPlace): Promise<readonly ListedImage[]> {
  const { ecr, accountId, repository, signal } = place;
  const found: ListedImage[] = [];
  let token: string | undefined;
  try {
    for (let page = 0; page < IMAGE_LIMITS.listPagesMax; page += 1) {
      const input = { registryId: accountId, repositoryName: repository, nextToken: token };
      const { imageDetails = [], nextToken } = await ecr.send(new DescribeImagesCommand(input), send(signal));
      found.push(...imageDetails.flatMap((detail) => listed(detail) ?? []));
      token = nextToken;
      if (token === undefined) break;
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'RepositoryNotFoundException') return [];
    throw error;
  }
  return found;
}

function listed(detail: ImageDetail): ListedImage | undefined {
  const { imageDigest, imageTags = [], imageSizeInBytes = 0, imageManifestMediaType } = detail;
  if (imageDigest === undefined) return undefined;
  return {
    digest: imageDigest,
    tags: imageTags,
    sizeBytes: imageSizeInBytes,
    mediaType: imageManifestMediaType,
  };
}

/** Gives an image that is there another tag. One that it has already is no failure. */
export async function tagImage(place: RepositoryPlace, digest: string, tag: string): Promise<void> {
  const { ecr, accountId, repository, signal } = place;
  const target = { registryId: accountId, repositoryName: repository };
  const { images: [image] = [] } = await ecr.send(
    new BatchGetImageCommand({ ...target, imageIds: [{ imageDigest: digest }] }),
    send(signal),
  );
  if (image?.imageManifest === undefined) throw new DeployError('image_missing');
  const { imageManifest, imageManifestMediaType } = image;
  try {
    const input = { ...target, imageManifest, imageManifestMediaType, imageDigest: digest, imageTag: tag };
    await ecr.send(new PutImageCommand(input), send(signal));
  } catch (error) {
    if (error instanceof Error && error.name === 'ImageAlreadyExistsException') return;
    throw error;
  }
}

/** A password for the registries of a region; twelve hours long. For a program's standard input, and for nothing else. */
export async function registryPassword(ecr: ECRClient, signal: AbortSignal | undefined): Promise<string> {
  const { authorizationData: [data] = [] } = await ecr.send(
    new GetAuthorizationTokenCommand({}),
    send(signal),
  );
  const decoded = Buffer.from(data?.authorizationToken ?? '', 'base64').toString('utf8');
  const [, password = ''] = /^AWS:([\x21-\x7e]+)$/.exec(decoded) ?? [];
  if (password === '') throw new DeployError('aws_failed');
  return password;
}
