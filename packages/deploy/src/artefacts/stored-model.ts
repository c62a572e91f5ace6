import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { OTHER_REGION, toDeployError } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { ARTEFACT_LIMITS } from './limits.js';
import { chooseModelFiles, type ModelFormat } from './model-files.js';
import { MANIFEST_NAME, parseManifest } from './model-manifest.js';
import { ObjectStore } from './object-store.js';
import { formatS3Uri, parseS3Uri } from './s3-location.js';

export interface CheckModelOptions {
  readonly s3: S3Client;
  /** `s3://BUCKET/PREFIX/`, as `--model-s3` names it. */
  readonly uri: string;
  /** Of the endpoint. SageMaker reads a model only from a bucket of its own region. */
  readonly region: string;
  readonly bucketOwner?: string;
  readonly signal?: AbortSignal;
}

/** A model that somebody has put into S3. */
export interface StoredModel {
  /** With a slash at the end. */
  readonly uri: string;
  readonly format: ModelFormat;
  /** Of everything below the prefix: SageMaker copies all of it. */
  readonly totalBytes: number;
  /** The hub's commit, where our own copy made it. */
  readonly commit: string | undefined;
}

/**
 * Checks that a prefix is there, in the right region, and holds what vLLM needs. Reads names and sizes, and our manifest where
 * one is.
 *
 * @throws DeployError `model_incomplete` with what is missing; `bucket_unusable`, `access_denied`, `aws_…`
 */
export async function checkStoredModel(options: CheckModelOptions): Promise<StoredModel> {
  const { signal = new AbortController().signal } = options;
  const { bucket, prefix } = parseS3Uri(options.uri);
  const store = new ObjectStore({ ...options, bucket });
  try {
    await checkRegion(store, options.region, signal);
    const objects = await store.list(prefix, signal);
    const files = objects.map(({ key, sizeBytes }) => ({ path: key.slice(prefix.length), sizeBytes }));
    if (files.some(({ path }) => /\.(tar|tar\.gz|tgz)$/.test(path))) {
      throw incomplete(
        'The model in S3 is an archive; SageMaker gets it uncompressed here. Unpack it, and copy the files themselves.',
      );
    }
    const choice = chooseModelFiles(files.filter(({ sizeBytes }) => sizeBytes > 0));
    if (choice.missing !== undefined) {
      throw incomplete(
        files.length === 0
          ? 'There is nothing below this prefix of S3; check --model-s3.'
          : `The model in S3 is incomplete: ${choice.missing.slice(0, 5).join(', ')} is missing below the prefix. See docs/aws-model.md for the files that are needed.`,
      );
    }
    const text = await store.readText(`${prefix}${MANIFEST_NAME}`, ARTEFACT_LIMITS.manifestBytesMax, signal);
    const manifest = parseManifest(text ?? '');
    const sizes = new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]));
    const changed = manifest?.files.find(({ path, sizeBytes }) => sizes.get(path) !== sizeBytes);
    if (changed !== undefined) {
      throw incomplete(
        `The model in S3 is not what was copied there: ${changed.path} is missing or has another length. Empty the prefix, and copy it again.`,
      );
    }
    const totalBytes = files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    const uri = formatS3Uri({ bucket, prefix });
    return { uri, format: choice.format, totalBytes, commit: manifest?.commit };
  } catch (error) {
    signal.throwIfAborted();
    throw toDeployError(error);
  }
}

async function checkRegion(store: ObjectStore, region: string, signal: AbortSignal): Promise<void> {
  const { BucketRegion } = await store.ask(signal, (target) => new HeadBucketCommand(target));
  if (BucketRegion !== undefined && BucketRegion !== region) {
    throw new DeployError('bucket_unusable', { sentence: OTHER_REGION });
  }
}

/**
 * Removes a model from S3: every object below its prefix, and the parts of uploads that nobody finished. What is not there is
 * no failure.
 *
 * @returns Keys that S3 did not give up
 * @throws DeployError `invalid_setting` for a whole bucket; `access_denied`, `aws_…`
 */
export async function removeStoredModel(
  options: Pick<CheckModelOptions, 's3' | 'uri' | 'bucketOwner' | 'signal'>,
): Promise<readonly string[]> {
  const { signal = new AbortController().signal } = options;
  const { bucket, prefix } = parseS3Uri(options.uri);
  if (prefix === '') {
    throw new DeployError('invalid_setting', {
      sentence: 'A model lies in a prefix of its own; a whole bucket is not emptied.',
    });
  }
  const store = new ObjectStore({ ...options, bucket });
  try {
    for (const { key, uploadId } of await store.listUploads(prefix, signal)) {
      await store.abort(key, uploadId, signal);
    }
    const objects = await store.list(prefix, signal);
    // The manifest first: a copy that is removed half is no complete one.
    const keys = objects.map(({ key }) => key).toSorted((one, other) => rank(one) - rank(other));
    return await store.remove(keys, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && error.name === 'NoSuchBucket') return [];
    throw toDeployError(error);
  }
}

function rank(key: string): number {
  return key.endsWith(MANIFEST_NAME) ? 0 : 1;
}

function incomplete(sentence: string): DeployError {
  return new DeployError('model_incomplete', { sentence });
}
