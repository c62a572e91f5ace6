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
  readonly buildArgs: Readonly<Record<string, string>>;
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

const parts = ({ buildArgs, secrets }: BuildRecipe): readonly string[] => [
  ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
  ...Object.entries(secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
];

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
      ...['--progress', 'plain', '--file', recipe.dockerfile, ...parts(recipe)],
      ...['--output', `type=image,name=${recipe.target},push=true,oci-mediatypes=false`, recipe.context],
    ],
  },
  finch: {
    name: 'finch',
    probes: [['info']],
    remedy: 'start its virtual machine with "finch vm start"',
    build: (recipe) => [
      ...['build', '--platform', PLATFORM, '--provenance=false', '--progress', 'plain'],
      ...['--file', recipe.dockerfile, '--tag', recipe.target, ...parts(recipe), recipe.context],
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
      ...['--file', recipe.dockerfile, '--tag', recipe.target, ...parts(recipe), recipe.context],
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
      ...['--file', recipe.dockerfile, '--tag', recipe.target, ...parts(recipe), recipe.context],
    ],
    push: (target) => ['push', target],
  },
};

/** What was found out about one builder. */
export interface BuilderReport {
  readonly name: BuilderName;
  readonly state: 'works' | 'missing' | 'broken';
  /** What to do about a broken one. */
  readonly remedy: string | undefined;
}

/** The builder of this name. */
export function builderOf(name: BuilderName): Builder {
  return BUILDERS[name];
}

/** Asks each builder whether it works, one after the other, until one does. */
export async function probeBuilders(
  names: readonly BuilderName[],
  env: Environment,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly BuilderReport[]> {
  const reports: BuilderReport[] = [];
  for (const name of names) {
    const state = await probe(BUILDERS[name], env, signal);
    reports.push({ name, state, remedy: state === 'broken' ? BUILDERS[name].remedy : undefined });
    if (state === 'works') break;
  }
  return reports;
}

async function probe(
  { name, probes }: Builder,
  env: Environment,
  signal: AbortSignal | undefined,
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
export function noBuilderSentence(reports: readonly BuilderReport[]): string {
  const broken = reports.filter(({ state }) => state === 'broken');
  const hints = broken.map(({ name, remedy }) => `${name} is installed and does not work: ${remedy}.`);
  return [
    'No program on this machine can build the image.',
    ...hints,
    'Install Docker, Finch, Podman or Buildah, or name an image that is in ECR with --image.',
  ].join(' ');
}
