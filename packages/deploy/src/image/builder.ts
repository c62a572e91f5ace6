import { DeployError } from '../errors.js';
import { IMAGE_LIMITS } from './limits.js';
import { runProgram } from './program.js';

/** Programs that can build an image and push it, in the order in which they are looked for. */
export const BUILDER_NAMES = ['docker', 'finch', 'podman', 'buildah'] as const;
export type BuilderName = (typeof BUILDER_NAMES)[number];

/** What is to be built. */
export interface BuildRecipe {
  readonly dockerfile: string;
  /** Folder of the context. */
  readonly context: string;
  /** Name with tag in the registry. */
  readonly target: string;
  /** Name → file that a step of the build may read, and no layer keeps. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** One builder, as the words of its commands. */
export interface Builder {
  readonly name: BuilderName;
  /** Commands that all end with 0 where it works: the program is there, and what it needs to build runs. */
  readonly probes: readonly (readonly string[])[];
  /** What to do where it is there and does not work. */
  readonly remedy: string;
  readonly build: (recipe: BuildRecipe, env: Environment) => readonly string[];
  /** Absent where building pushes as well. */
  readonly push?: (target: string) => readonly string[];
}

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** SageMaker's instances for endpoints, and vLLM's base image. Stated, so that a build on another processor fails or emulates. */
export const PLATFORM = 'linux/amd64';

const secretWords = ({ secrets }: BuildRecipe): readonly string[] =>
  Object.entries(secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]);

const BUILDERS: Readonly<Record<BuilderName, Builder>> = {
  docker: {
    name: 'docker',
    probes: [
      ['version', '--format', '{{.Server.Version}}'],
      ['buildx', 'version'],
    ],
    remedy: 'start Docker, and see that it has buildx ("docker buildx version")',
    // With Docker's own image store a plain `docker push` sends OCI manifests, which SageMaker refused (aws/amazon-sagemaker-
    // feedback#180). Only the exporter can be told which kind to make, so it pushes as well.
    build: (recipe) => [
      ...['buildx', 'build', '--platform', PLATFORM, '--provenance=false', '--sbom=false'],
      ...['--progress', 'plain', '--file', recipe.dockerfile, ...secretWords(recipe)],
      ...['--output', `type=image,name=${recipe.target},push=true,oci-mediatypes=false`, recipe.context],
    ],
  },
  finch: {
    name: 'finch',
    probes: [['info']],
    remedy: 'start its virtual machine with "finch vm start"',
    build: (recipe) => [
      ...['build', '--platform', PLATFORM, '--provenance=false', '--progress', 'plain'],
      ...['--file', recipe.dockerfile, '--tag', recipe.target, ...secretWords(recipe), recipe.context],
    ],
    push: (target) => ['push', '--platform', PLATFORM, target],
  },
  podman: {
    name: 'podman',
    probes: [['info']],
    remedy: 'on macOS and Windows, start its virtual machine with "podman machine start"',
    // Docker's format keeps the HEALTHCHECK, and is what SageMaker takes.
    build: (recipe) => [
      ...['build', '--platform', PLATFORM, '--format', 'docker'],
      ...['--file', recipe.dockerfile, '--tag', recipe.target, ...secretWords(recipe), recipe.context],
    ],
    push: (target) => ['push', target],
  },
  buildah: {
    name: 'buildah',
    probes: [['info']],
    remedy: 'see what "buildah info" says',
    // It is what works inside of containers, where other isolation does not. Who wants another one sets the variable.
    build: (recipe, env) => [
      ...['build', '--platform', PLATFORM, '--format', 'docker'],
      ...(env['BUILDAH_ISOLATION'] === undefined ? ['--isolation', 'chroot'] : []),
      ...['--file', recipe.dockerfile, '--tag', recipe.target, ...secretWords(recipe), recipe.context],
    ],
    push: (target) => ['push', target],
  },
};

/** What was found out about one builder. */
interface BuilderReport {
  readonly builder: Builder;
  readonly state: 'works' | 'missing' | 'broken';
}

/**
 * The first builder that works, or the one that is asked for. Asks one after the other.
 *
 * @throws DeployError `builder_missing` with what to do about each one that is there and does not work
 */
export async function chooseBuilder(
  asked: BuilderName | undefined,
  env: Environment,
  signal: AbortSignal,
): Promise<Builder> {
  const reports: BuilderReport[] = [];
  for (const name of asked === undefined ? BUILDER_NAMES : [asked]) {
    const builder = BUILDERS[name];
    const state = await probe(builder, env, signal);
    if (state === 'works') return builder;
    reports.push({ builder, state });
  }
  throw new DeployError('builder_missing', { sentence: noBuilderSentence(reports) });
}

async function probe(
  { name, probes }: Builder,
  env: Environment,
  signal: AbortSignal,
): Promise<BuilderReport['state']> {
  for (const words of probes) {
    const timeoutMs = IMAGE_LIMITS.probeTimeoutMs;
    const { exitCode, isMissing } = await runProgram(name, { words, env, timeoutMs, signal });
    if (isMissing) return 'missing';
    if (exitCode !== 0) return 'broken';
  }
  return 'works';
}

/** The sentence for a machine without a builder that works. */
function noBuilderSentence(reports: readonly BuilderReport[]): string {
  const broken = reports.filter(({ state }) => state === 'broken');
  const hints = broken.map(
    ({ builder: { name, remedy } }) => `${name} is installed and does not work: ${remedy}.`,
  );
  return [
    'No program on this machine can build the image.',
    ...hints,
    'Install Docker, Finch, Podman or Buildah, or name an image that is in ECR with --image.',
  ].join(' ');
}
