import { isRecord, parseJson } from '@kikitori/core';
import { HttpStatusError, readShort } from '@kikitori/core/hub';
import { TRANSFER_DEFAULTS } from '../artefacts/limits.js';
import { retry } from '../artefacts/retry.js';
import type { Aws } from '../aws/aws.js';
import { toDeployError } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { watched } from '../watchdog.js';
import { PLATFORM } from './builder.js';
import { type EcrName, parseEcrName, repositoryArn } from './ecr-name.js';
import { IMAGE_LIMITS } from './limits.js';

/** SageMaker opens WebSockets only to images with this label. */
export const STREAMING_LABEL = 'com.amazonaws.sagemaker.capabilities.bidirectional-streaming';

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const LISTS = [
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
];

/** An image in ECR that an endpoint can run. */
export interface UsableImage {
  /** With the digest, so that a tag that is moved later changes nothing. */
  readonly uri: string;
  readonly digest: string;
  readonly repositoryArn: string;
  /** What may go wrong all the same; sentences for people. */
  readonly warnings: readonly string[];
}

/**
 * Checks an image that is in ECR: that it is there, in the region of the endpoint, for SageMaker's processors, with the label for bidirectional
 * streaming, in a format that SageMaker takes. Reads the image's own description, no layer.
 *
 * @throws DeployError `image_missing`, `image_unsuitable`, `access_denied`, `aws_…`; or the signal's reason
 */
export async function checkImage(aws: Aws, uri: string, signal: AbortSignal): Promise<UsableImage> {
  const name = parseEcrName(uri);
  if (name === undefined) {
    throw unsuitable('SageMaker takes images only from ECR: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG.');
  }
  if (name.region !== aws.region) {
    throw unsuitable('The image is in another region than the endpoint; SageMaker pulls only from its own.');
  }
  try {
    const { digest, manifest, mediaType } = await readManifest(aws, name, signal);
    if (LISTS.includes(mediaType)) {
      throw unsuitable(
        'The image is a list of images, which SageMaker refuses. Build it for one platform, with --provenance=false, and push it again.',
      );
    }
    checkConfig(await readConfig(aws, name, manifest, signal));
    const warnings =
      mediaType === OCI_MANIFEST
        ? [
            'The image has an OCI manifest; SageMaker has refused those. If it does, build it again in Docker’s format (docs/aws-image.md).',
          ]
        : [];
    return {
      uri: `${name.registry}/${name.repository}@${digest}`,
      digest,
      repositoryArn: repositoryArn(name),
      warnings,
    };
  } catch (error) {
    signal.throwIfAborted();
    throw toDeployError(error);
  }
}

interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

async function readManifest(
  aws: Aws,
  { accountId, repository, tag, digest }: EcrName,
  signal: AbortSignal,
): Promise<Manifest> {
  const input = {
    registryId: accountId,
    repositoryName: repository,
    imageIds: [digest === undefined ? { imageTag: tag ?? 'latest' } : { imageDigest: digest }],
    acceptedMediaTypes: [DOCKER_MANIFEST, OCI_MANIFEST, ...LISTS],
  };
  const { images: [image] = [] } = await aws.ask('ecr', (sdk) => new sdk.BatchGetImageCommand(input), signal);
  const found = image?.imageId?.imageDigest;
  const manifest = parseJson(image?.imageManifest ?? '');
  if (found === undefined || !isRecord(manifest)) throw new DeployError('image_missing');
  const said = image?.imageManifestMediaType ?? manifest['mediaType'];
  return { digest: found, manifest, mediaType: typeof said === 'string' ? said : DOCKER_MANIFEST };
}

/** What an image says about itself lies beside its layers. */
async function readConfig(
  aws: Aws,
  { accountId, repository }: EcrName,
  { config }: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<unknown> {
  const digest = isRecord(config) ? config['digest'] : undefined;
  if (typeof digest !== 'string') throw unsuitable('The image’s manifest names no configuration.');
  const input = { registryId: accountId, repositoryName: repository, layerDigest: digest };
  const { downloadUrl } = await aws.ask('ecr', (sdk) => new sdk.GetDownloadUrlForLayerCommand(input), signal);
  if (downloadUrl === undefined) throw new DeployError('aws_failed');
  const download = async (each: AbortSignal): Promise<unknown> => {
    const response = await fetch(downloadUrl, { signal: each });
    if (!response.ok) throw new HttpStatusError(response.status);
    return parseJson((await readShort(response, IMAGE_LIMITS.configBytesMax)) ?? '');
  };
  const once = () => watched(IMAGE_LIMITS.configTimeoutMs, signal, download);
  return await retry(once, { ...TRANSFER_DEFAULTS, signal });
}

function checkConfig(value: unknown): void {
  if (!isRecord(value)) throw unsuitable('The image’s configuration cannot be read.');
  const { os, architecture, config } = value;
  if (`${os}/${architecture}` !== PLATFORM) {
    throw unsuitable(`The image is not for ${PLATFORM}; build it with --platform ${PLATFORM}.`);
  }
  const labels = isRecord(config) && isRecord(config['Labels']) ? config['Labels'] : {};
  if (labels[STREAMING_LABEL] !== 'true') {
    throw unsuitable(
      `The image lacks the label ${STREAMING_LABEL}=true; without it SageMaker opens no WebSocket. Add it with LABEL in the Dockerfile.`,
    );
  }
}

function unsuitable(sentence: string): DeployError {
  return new DeployError('image_unsuitable', { sentence });
}
