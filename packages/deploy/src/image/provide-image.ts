import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '@kikitori/core';
import type { Aws } from '../aws/aws.js';
import { DeployError, type DeployErrorCode } from '../errors.js';
import type { Engine } from '../settings/settings.js';
import { type BuildContext, readBuildContext, stageContext } from './build-context.js';
import { type Builder, type BuilderName, chooseBuilder, type Environment } from './builder.js';
import { registryHost, repositoryArn } from './ecr-name.js';
import { contentOf, imageTag } from './image-tag.js';
import { IMAGE_LIMITS } from './limits.js';
import { type ProgramEnd, runProgram } from './program.js';
import {
  DEFAULT_REPOSITORY,
  ensureRepository,
  findImage,
  type ListedImage,
  listImages,
  registryPassword,
  tagImage,
} from './repository.js';

/** What an image is made from, and where it goes. */
export interface ImageSettings {
  readonly engine: Engine;
  /** The endpoint that it is for: its name is part of the image's tag, so that nobody removes what another one needs. */
  readonly endpointName: string;
  readonly accountId: string;
  /** Another host of the same registry; ECR's usual one when not given. */
  readonly registry?: string;
  /** A checkout; looked for around this package when not given. */
  readonly checkout?: string;
  readonly signal: AbortSignal;
}

export interface ProvideImageOptions extends ImageSettings {
  /** Only this one, instead of the first that works. */
  readonly builder: BuilderName | undefined;
  /** `PATH`, and what the builders themselves read. */
  readonly env: Environment;
  /** Put on the repository when it is made. */
  readonly tags: Readonly<Record<string, string>>;
  /** Told what happens, and each line of the builder. Must not throw and not wait. */
  readonly onLine: (line: string) => void;
}

/** An image in our own repository. */
export interface ProvidedImage {
  /** With the digest. */
  readonly uri: string;
  readonly tag: string;
  readonly digest: string;
  readonly repositoryArn: string;
  /** Who built it now; undefined when it was there. */
  readonly builtBy: BuilderName | undefined;
  readonly hasMadeRepository: boolean;
  readonly warnings: readonly string[];
}

/** What would be done. */
export interface ImagePlan {
  readonly context: BuildContext;
  readonly tag: string;
  /** With the tag. */
  readonly target: string;
  /** The image, or one that was made of the same for another endpoint: nothing is built. */
  readonly there: ListedImage | undefined;
}

/**
 * What providing the image would do, as far as reading tells.
 *
 * @throws DeployError `context_missing`, `access_denied`, `aws_…`
 */
export async function planImage(aws: Aws, settings: ImageSettings): Promise<ImagePlan> {
  const context = await readBuildContext(settings.engine, settings.checkout);
  const tag = imageTag(settings.endpointName, settings.engine, context.hash);
  const target = `${hostOf(aws, settings)}/${DEFAULT_REPOSITORY}:${tag}`;
  const images = await listImages(aws, settings.signal);
  const same = images.filter(({ tags }) => tags.some((one) => contentOf(one) === contentOf(tag)));
  return { context, tag, target, there: same.find(({ tags }) => tags.includes(tag)) ?? same[0] };
}

/**
 * Sees to it that the image of this checkout is in ECR, and says under which digest. The tag is made from the content of
 * everything that goes into it: what is unchanged is neither built nor pushed again, and needs no builder; what another endpoint has pushed
 * gets this one's tag as well.
 *
 * @throws DeployError `builder_missing`, `build_failed`, `push_failed`, `context_missing`, `access_denied`, `aws_…`; or the
 *   signal's reason
 */
export async function provideImage(aws: Aws, options: ProvideImageOptions): Promise<ProvidedImage> {
  const { accountId, builder: asked, env, tags, onLine, signal } = options;
  const { context, tag, target, there } = await planImage(aws, options);
  if (there !== undefined) {
    if (!there.tags.includes(tag)) await tagImage(aws, there.digest, tag, signal);
    return { ...provided(aws, options, there), tag, builtBy: undefined, hasMadeRepository: false };
  }
  const builder = await chooseBuilder(asked, env, signal);
  const hasMadeRepository = await ensureRepository(aws, accountId, tags, signal);
  if (hasMadeRepository) onLine(`Made the ECR repository ${DEFAULT_REPOSITORY}`);
  await buildAndPush(aws, { builder, context, target }, options);
  const image = await lookUp(aws, tag, signal);
  return { ...provided(aws, options, image), tag, builtBy: builder.name, hasMadeRepository };
}

interface Job {
  readonly builder: Builder;
  readonly context: BuildContext;
  readonly target: string;
}

/** Logs in, builds, pushes, and logs out again, so that no password of ours outlives the command. */
async function buildAndPush(aws: Aws, job: Job, options: ProvideImageOptions): Promise<void> {
  const { builder, context, target } = job;
  const { env, signal, onLine } = options;
  const registry = hostOf(aws, options);
  const staged = await stageContext(context, env['TMPDIR'], signal);
  let isLoggedIn = false;
  try {
    await logIn(aws, builder.name, registry, options);
    isLoggedIn = true;
    onLine(`Building with ${builder.name}`);
    const { dir, dockerfile } = staged;
    const recipe = { dockerfile, context: dir, target, secrets: await secretsOf(options) };
    const words = builder.build(recipe, env);
    const shared = { env: { ...env, DOCKER_BUILDKIT: '1' }, onLine, signal };
    expectDone(
      await runProgram(builder.name, { ...shared, words, timeoutMs: IMAGE_LIMITS.buildTimeoutMs }),
      'build_failed',
      builder.name,
    );
    if (builder.push !== undefined) {
      onLine('Pushing');
      const pushing = { ...shared, words: builder.push(target), timeoutMs: IMAGE_LIMITS.pushTimeoutMs };
      const end = await runProgram(builder.name, pushing);
      // Tags are immutable: a push that finds its tag taken found the same content, pushed by somebody else meanwhile.
      if (end.exitCode !== 0 && !isTagTaken(end)) expectDone(end, 'push_failed', builder.name);
    }
  } finally {
    if (isLoggedIn) await logOut(builder.name, registry, env);
    await staged.remove();
  }
}

async function logIn(
  aws: Aws,
  builder: BuilderName,
  registry: string,
  { env, signal }: ProvideImageOptions,
): Promise<void> {
  const end = await runProgram(builder, {
    words: ['login', '--username', 'AWS', '--password-stdin', registry],
    input: await registryPassword(aws, signal),
    env,
    timeoutMs: IMAGE_LIMITS.loginTimeoutMs,
    signal,
  });
  if (end.exitCode === 0) return;
  throw new DeployError('push_failed', {
    sentence: `${builder} could not log in to the registry; see that its credential helper works, then run the same command again.`,
    serviceText: end.tail.slice(-5).join('\n'),
    saidBy: builder,
  });
}

/** Also after the command was called off; what it says does not matter any more. */
async function logOut(builder: BuilderName, registry: string, env: Environment): Promise<void> {
  const words = ['logout', registry];
  await runProgram(builder, { words, env, timeoutMs: IMAGE_LIMITS.loginTimeoutMs, signal: undefined });
}

/** npm's settings, for a mirror or a certificate of the user's network. The Moonshine build reads them; no layer keeps them. */
async function secretsOf({ engine, env }: ProvideImageOptions): Promise<Record<string, string>> {
  if (engine !== 'moonshine') return {};
  const file = env['NPM_CONFIG_USERCONFIG'] ?? env['npm_config_userconfig'] ?? join(home(), '.npmrc');
  return await access(file).then(
    () => ({ npmrc: file }),
    () => ({}),
  );
}

/** Of a user without one, as in a container that runs as any number, it is a folder that holds nothing. */
function home(): string {
  try {
    return homedir();
  } catch {
    return '/dev/null';
  }
}

function isTagTaken({ tail }: ProgramEnd): boolean {
  return tail.some((line) => /already exists.*immutable|immutable.*already exists/i.test(line));
}

function expectDone({ exitCode, tail }: ProgramEnd, code: DeployErrorCode, builder: BuilderName): void {
  if (exitCode === 0) return;
  // The end of what it said fits; the whole went to onLine.
  throw new DeployError(code, { serviceText: tail.slice(-12).join('\n').slice(-1_000), saidBy: builder });
}

async function lookUp(aws: Aws, tag: string, signal: AbortSignal): Promise<ListedImage> {
  for (let attempts = 1; ; attempts += 1) {
    const image = await findImage(aws, tag, signal);
    if (image !== undefined) return image;
    if (attempts === IMAGE_LIMITS.lookUpAttemptsMax) throw new DeployError('push_failed');
    await sleep(aws.clock, IMAGE_LIMITS.lookUpDelayMs, { signal });
  }
}

function hostOf({ region }: Aws, { registry, accountId }: ImageSettings): string {
  return registry ?? registryHost(accountId, region);
}

function provided(aws: Aws, settings: ImageSettings, { digest, mediaType }: ListedImage) {
  const { accountId } = settings;
  const isDocker = mediaType === undefined || mediaType.includes('docker.distribution.manifest.v2');
  return {
    uri: `${hostOf(aws, settings)}/${DEFAULT_REPOSITORY}@${digest}`,
    digest,
    repositoryArn: repositoryArn({ accountId, region: aws.region, repository: DEFAULT_REPOSITORY }),
    warnings: isDocker
      ? []
      : [
          'The image has another manifest than Docker’s; SageMaker has refused those. If it does, see docs/aws-image.md.',
        ],
  };
}
