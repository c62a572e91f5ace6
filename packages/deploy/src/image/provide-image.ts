import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ECRClient } from '@aws-sdk/client-ecr';
import { DeployError, type DeployErrorCode } from '../errors.js';
import type { Engine } from '../settings/settings.js';
import { type BuildContext, readBuildContext, stageContext } from './build-context.js';
import {
  BUILDER_NAMES,
  type Builder,
  type BuilderName,
  builderOf,
  type Environment,
  noBuilderSentence,
  probeBuilders,
} from './builder.js';
import { toEcrError } from './ecr-error.js';
import { parseEcrName, registryHost, repositoryArn } from './ecr-name.js';
import { contentOf, imageTag } from './image-tag.js';
import { IMAGE_LIMITS } from './limits.js';
import { type ProgramEnd, runProgram } from './program.js';
import {
  ensureRepository,
  findImage,
  type ListedImage,
  listImages,
  type RepositoryPlace,
  registryPassword,
  tagImage,
} from './repository.js';

/** What an image is made from, and where it goes. */
export interface ImageSettings {
  readonly engine: Engine;
  /** The endpoint that it is for: its name is part of the image's tag, so that nobody removes what another one needs. */
  readonly endpointName: string;
  readonly accountId: string;
  readonly region: string;
  /** Another host of the same registry, such as one for FIPS; ECR's usual one when not given. */
  readonly registry?: string;
  /** `kikitori` when not given. */
  readonly repository?: string;
  /** Arguments of the Dockerfile, such as `BASE_IMAGE` or `MODEL`; docs/containers.md lists them. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** A checkout; looked for around this package when not given. */
  readonly checkout?: string;
}

export interface ProvideImageOptions extends ImageSettings {
  /** For another region than the endpoint's where a base image lies in that one's ECR. */
  readonly ecrFor: (region: string) => ECRClient;
  /** Only this one, instead of the first that works. */
  readonly builder?: BuilderName;
  /** `PATH`, and what the builders themselves read. */
  readonly env: Environment;
  /** Put on the repository when it is made. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Told what happens, and each line of the builder. Must not throw and not wait. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
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
  /** With the tag. */
  readonly target: string;
  readonly tag: string;
  readonly repository: string;
  readonly repositoryArn: string;
  /** The image is there already: nothing is built. */
  readonly isThere: boolean;
}

/** Where the images go when nothing else is said. */
export const DEFAULT_REPOSITORY = 'kikitori';

/**
 * What providing the image would do, as far as reading tells.
 *
 * @throws DeployError `context_missing`, `access_denied`, `aws_…`
 */
export async function planImage(
  settings: ImageSettings & Pick<ProvideImageOptions, 'ecrFor' | 'signal'>,
): Promise<ImagePlan> {
  const context = await readBuildContext(settings.engine, settings.buildArgs, settings.checkout);
  const { target, tag, place } = placeOf(settings, context);
  try {
    const isThere = findContent(await listImages(place), tag) !== undefined;
    return { target, tag, repository: place.repository, repositoryArn: arnOf(settings), isThere };
  } catch (error) {
    settings.signal?.throwIfAborted();
    throw toEcrError(error);
  }
}

/**
 * Sees to it that the image of this checkout is in ECR, and says under which digest. The tag is made from the content of
 * everything that goes into it: what is unchanged is neither built nor pushed again, and needs no builder; what another endpoint has pushed
 * gets this one's tag as well.
 *
 * @throws DeployError `builder_missing`, `build_failed`, `push_failed`, `context_missing`, `access_denied`, `aws_…`; or the
 *   signal's reason
 */
export async function provideImage(options: ProvideImageOptions): Promise<ProvidedImage> {
  const { signal, onLine = () => undefined } = options;
  try {
    const context = await readBuildContext(options.engine, options.buildArgs, options.checkout);
    const { target, tag, place } = placeOf(options, context);
    const there = findContent(await listImages(place), tag);
    if (there !== undefined) {
      if (!there.tags.includes(tag)) await tagImage(place, there.digest, tag);
      return provided(options, { tag, image: there });
    }
    const builder = await chooseBuilder(options);
    const hasMadeRepository = await ensureRepository(place, options.tags ?? {});
    if (hasMadeRepository) onLine(`Made the ECR repository ${place.repository}`);
    await buildAndPush({ builder, context, target }, options);
    const image = await lookUp(place, tag);
    return { ...provided(options, { tag, image }), builtBy: builder.name, hasMadeRepository };
  } catch (error) {
    signal?.throwIfAborted();
    throw toEcrError(error);
  }
}

/** The image of this tag, or one that was made of the same for another endpoint. */
function findContent(images: readonly ListedImage[], tag: string): ListedImage | undefined {
  const content = contentOf(tag);
  const same = images.filter(({ tags }) => tags.some((one) => contentOf(one) === content));
  return same.find(({ tags }) => tags.includes(tag)) ?? same[0];
}

/** The first builder that works, or the one that is asked for. */
async function chooseBuilder({ builder, env, signal }: ProvideImageOptions): Promise<Builder> {
  const reports = await probeBuilders(builder === undefined ? BUILDER_NAMES : [builder], env, { signal });
  const found = reports.find(({ state }) => state === 'works');
  if (found === undefined) {
    throw new DeployError('builder_missing', { sentence: noBuilderSentence(reports) });
  }
  return builderOf(found.name);
}

interface Job {
  readonly builder: Builder;
  readonly context: BuildContext;
  readonly target: string;
}

/** Logs in where it has to, builds, pushes, and logs out again, so that no password of ours outlives the command. */
async function buildAndPush(job: Job, options: ProvideImageOptions): Promise<void> {
  const { builder, context, target } = job;
  const { env, signal, onLine = () => undefined } = options;
  const { TMPDIR: parent } = env;
  const staged = await stageContext(context, { ...(parent === undefined ? {} : { parent }), signal });
  const registries = [...registriesOf(job, options)];
  const loggedIn: string[] = [];
  try {
    for (const [registry, region] of registries) {
      await logIn(builder.name, registry, region, options);
      loggedIn.push(registry);
    }
    onLine(`Building with ${builder.name}`);
    const { dir, dockerfile } = staged;
    const secrets: Record<string, string> = await secretsOf(options);
    const recipe = { dockerfile, context: dir, target, buildArgs: context.buildArgs, secrets };
    const words = builder.build(recipe, env);
    const shared = { env: { ...env, DOCKER_BUILDKIT: '1' }, onLine, signal };
    expectDone(
      await runProgram(builder.name, { ...shared, words, timeoutMs: IMAGE_LIMITS.buildTimeoutMs }),
      'build_failed',
    );
    if (builder.push !== undefined) {
      onLine('Pushing');
      const pushing = { ...shared, words: builder.push(target), timeoutMs: IMAGE_LIMITS.pushTimeoutMs };
      const end = await runProgram(builder.name, pushing);
      // Tags are immutable: a push that finds its tag taken found the same content, pushed by somebody else meanwhile.
      if (end.exitCode !== 0 && !isTagTaken(end)) expectDone(end, 'push_failed');
    }
  } finally {
    for (const registry of loggedIn) await logOut(builder.name, registry, env);
    await staged.remove();
  }
}

/** Our registry, and that of each base image that lies in a private one. Host → region. */
function registriesOf({ context }: Job, settings: ImageSettings): ReadonlyMap<string, string> {
  const registries = new Map([[hostOf(settings), settings.region]]);
  for (const name of Object.values(context.buildArgs)) {
    const found = parseEcrName(name);
    if (found !== undefined) registries.set(found.registry, found.region);
  }
  return registries;
}

async function logIn(
  builder: BuilderName,
  registry: string,
  region: string,
  { ecrFor, env, signal }: ProvideImageOptions,
): Promise<void> {
  const end = await runProgram(builder, {
    words: ['login', '--username', 'AWS', '--password-stdin', registry],
    input: await registryPassword(ecrFor(region), signal),
    env,
    timeoutMs: IMAGE_LIMITS.loginTimeoutMs,
    signal,
  });
  if (end.exitCode === 0) return;
  throw new DeployError('push_failed', {
    sentence: `${builder} could not log in to the registry; see that its credential helper works, then run the same command again.`,
    serviceText: end.tail.slice(-5).join('\n'),
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
  const file = env['NPM_CONFIG_USERCONFIG'] ?? env['npm_config_userconfig'] ?? join(homedir(), '.npmrc');
  return await access(file).then(
    () => ({ npmrc: file }),
    () => ({}),
  );
}

function isTagTaken({ tail }: ProgramEnd): boolean {
  return tail.some((line) => /already exists.*immutable|immutable.*already exists/i.test(line));
}

function expectDone({ exitCode, tail }: ProgramEnd, code: DeployErrorCode): void {
  if (exitCode === 0) return;
  // The end of what it said fits; the whole went to onLine.
  throw new DeployError(code, { serviceText: tail.slice(-12).join('\n').slice(-1_000) });
}

async function lookUp(place: RepositoryPlace, tag: string): Promise<ListedImage> {
  for (let attempts = 1; ; attempts += 1) {
    const image = await findImage(place, { imageTag: tag });
    if (image !== undefined) return image;
    if (attempts === IMAGE_LIMITS.lookUpAttemptsMax) throw new DeployError('push_failed');
    await wait(
      IMAGE_LIMITS.lookUpDelayMs,
      undefined,
      place.signal === undefined ? {} : { signal: place.signal },
    );
  }
}

function placeOf(
  settings: ImageSettings & Pick<ProvideImageOptions, 'ecrFor' | 'signal'>,
  { hash }: BuildContext,
): { readonly target: string; readonly tag: string; readonly place: RepositoryPlace } {
  const { engine, endpointName, accountId, region, ecrFor, signal } = settings;
  const { repository = DEFAULT_REPOSITORY } = settings;
  const tag = imageTag(endpointName, engine, hash);
  const target = `${hostOf(settings)}/${repository}:${tag}`;
  return { target, tag, place: { ecr: ecrFor(region), accountId, repository, signal } };
}

function hostOf({ registry, accountId, region }: ImageSettings): string {
  return registry ?? registryHost(accountId, region);
}

function arnOf({ accountId, region, repository = DEFAULT_REPOSITORY }: ImageSettings): string {
  return repositoryArn({ accountId, region, repository });
}

function provided(
  settings: ImageSettings,
  { tag, image }: { readonly tag: string; readonly image: ListedImage },
): ProvidedImage {
  const { repository = DEFAULT_REPOSITORY } = settings;
  const isDocker =
    image.mediaType === undefined || image.mediaType.includes('docker.distribution.manifest.v2');
  return {
    uri: `${hostOf(settings)}/${repository}@${image.digest}`,
    tag,
    digest: image.digest,
    repositoryArn: arnOf(settings),
    builtBy: undefined,
    hasMadeRepository: false,
    warnings: isDocker
      ? []
      : [
          'The image has another manifest than Docker’s; SageMaker has refused those. If it does, see docs/aws-image.md.',
        ],
  };
}
