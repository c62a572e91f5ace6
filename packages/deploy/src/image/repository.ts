import {
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  PutLifecyclePolicyCommand,
} from '@aws-sdk/client-ecr';
import { DeployError } from '../errors.js';
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
  readonly sizeBytes: number;
  /** Media type of the manifest. */
  readonly mediaType: string | undefined;
}

const send = (signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } => {
  return signal === undefined ? {} : { abortSignal: signal };
};

/**
 * Makes the repository when it is missing. @returns Whether it was.
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
  if (await hasRepository(place)) return false;
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
  await ecr.send(
    new PutLifecyclePolicyCommand({ repositoryName: repository, lifecyclePolicyText: lifecyclePolicy() }),
    send(signal),
  );
  return true;
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
    if (found?.imageDigest === undefined) return undefined;
    const { imageDigest, imageSizeInBytes = 0, imageManifestMediaType } = found;
    return { digest: imageDigest, sizeBytes: imageSizeInBytes, mediaType: imageManifestMediaType };
  } catch (error) {
    const isMissing =
      error instanceof Error && /^(ImageNotFound|RepositoryNotFound)Exception$/.test(error.name);
    if (isMissing) return undefined;
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
