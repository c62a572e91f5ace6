import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ProvideImageOptions,
  planImage as plan,
  provideImage as provide,
} from '../../src/image/provide-image.js';
import { FakeEcr, PASSWORD } from '../fake-aws/fake-ecr.js';
import { type BuilderHabits, StandInBuilders } from './stand-in-builder.js';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const REGISTRY = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;
const DOWN: BuilderHabits = {
  fails: {
    version: { says: 'Cannot connect to the Docker daemon.', exitCode: 1 },
    info: { says: 'no', exitCode: 1 },
  },
};

let dir = '';
let ecr: FakeEcr;
let builders: StandInBuilders;
let lines: string[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kikitori-image-test-'));
  ecr = new FakeEcr();
  await ecr.listen();
  builders = new StandInBuilders(dir, ecr.host);
  lines = [];
  await lay('LICENSE', 'MIT');
  await lay('packages/bridge/dist/kikitori-bridge.mjs', 'bridge');
  await lay('packages/bridge/src/secret.ts', 'not for the image');
  await lay('containers/vllm/Dockerfile', 'FROM scratch\nCOPY . /\n');
  await lay(
    'containers/vllm/Dockerfile.dockerignore',
    '*\n!LICENSE\n!packages/bridge/dist/kikitori-bridge.mjs\n',
  );
});

afterEach(async () => {
  await ecr.close();
  await rm(dir, { recursive: true, force: true });
});

async function lay(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(dir, 'checkout', path)), { recursive: true });
  await writeFile(join(dir, 'checkout', path), text);
}

function options(more: Partial<ProvideImageOptions> = {}): ProvideImageOptions {
  return {
    engine: 'vllm',
    endpointName: 'demo',
    accountId: ACCOUNT,
    checkout: join(dir, 'checkout'),
    builder: undefined,
    tags: {},
    signal: new AbortController().signal,
    env: { PATH: builders.path, TMPDIR: dir },
    onLine: (line) => lines.push(line),
    ...more,
  };
}

const planImage = (given: ProvideImageOptions) => plan(ecr.aws(), given);
const provideImage = (given: ProvideImageOptions) => provide(ecr.aws(), given);

describe('an image', () => {
  it.each([
    [
      'docker',
      [
        'buildx build --platform linux/amd64 --provenance=false --sbom=false --progress plain --file DOCKERFILE --output type=image,name=TARGET,push=true,oci-mediatypes=false CONTEXT',
      ],
    ],
    [
      'finch',
      [
        'build --platform linux/amd64 --provenance=false --progress plain --file DOCKERFILE --tag TARGET CONTEXT',
        'push --platform linux/amd64 TARGET',
      ],
    ],
    [
      'podman',
      ['build --platform linux/amd64 --format docker --file DOCKERFILE --tag TARGET CONTEXT', 'push TARGET'],
    ],
    [
      'buildah',
      [
        'build --platform linux/amd64 --format docker --isolation chroot --file DOCKERFILE --tag TARGET CONTEXT',
        'push TARGET',
      ],
    ],
  ] as const)(
    'is built and pushed with %s, which logs in by its standard input and out again',
    async (name, words) => {
      await builders.install(name);
      const image = await provideImage(options());

      const digest = ecr.repository('kikitori').tags.get(image.tag);
      expect(image).toMatchObject({
        uri: `${REGISTRY}/kikitori@${digest}`,
        digest,
        repositoryArn: `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/kikitori`,
        builtBy: name,
        hasMadeRepository: true,
        warnings: [],
      });
      expect(image.tag).toMatch(/^demo\.vllm-[0-9a-f]{16}$/);

      const runs = await builders.runs();
      const probes = name === 'docker' ? 2 : 1;
      expect(
        runs.slice(probes).map((run) =>
          run.words
            .join(' ')
            .replace(/\S*kikitori-image-\w+\/context/, 'CONTEXT')
            .replace(/\S*kikitori-image-\w+\/Dockerfile/, 'DOCKERFILE')
            .replace(`${REGISTRY}/kikitori:${image.tag}`, 'TARGET'),
        ),
      ).toEqual([`login --username AWS --password-stdin ${REGISTRY}`, ...words, `logout ${REGISTRY}`]);
      expect(runs.map(({ input }) => input).filter((input) => input !== '')).toEqual([PASSWORD]);
      expect(JSON.stringify(runs.map((run) => run.words))).not.toContain(PASSWORD);
      expect(lines.join('\n')).not.toContain(PASSWORD);
      const context = runs.find((run) => run.context.length > 0)?.context;
      expect(context).toEqual([
        'LICENSE',
        'packages',
        'packages/bridge',
        'packages/bridge/dist',
        'packages/bridge/dist/kikitori-bridge.mjs',
      ]);
      expect(lines).toContain('Step 1/9 : FROM node');
      expect((await readdir(dir)).filter((entry) => entry.startsWith('kikitori-image-'))).toEqual([]);
    },
  );

  it('that is unchanged is neither built nor pushed again, and needs no builder', async () => {
    await builders.install('docker');
    const first = await provideImage(options());
    const runs = (await builders.runs()).length;
    const again = await provideImage(options({ env: { PATH: '' } }));
    expect(again).toEqual({ ...first, builtBy: undefined, hasMadeRepository: false });
    expect((await builders.runs()).length).toBe(runs);
    expect(await planImage(options())).toMatchObject({ there: { digest: first.digest }, tag: first.tag });
  });

  it('that another endpoint has pushed gets a tag of this one too, and is not built again', async () => {
    await builders.install('docker');
    const first = await provideImage(options({ endpointName: 'other' }));
    const mine = await provideImage(options({ env: { PATH: '' } }));
    expect(mine).toMatchObject({ digest: first.digest, builtBy: undefined });
    expect([...ecr.repository('kikitori').tags.keys()]).toEqual([first.tag, mine.tag]);
    expect([first.tag, mine.tag].map((tag) => tag.split('.')[0])).toEqual(['other', 'demo']);
    expect(await provideImage(options({ env: { PATH: '' } }))).toEqual(mine);
    expect(ecr.calls.filter((call) => call === 'PutImage')).toHaveLength(1);
  });

  it('gets another tag when a byte or the Dockerfile changes, and not when something else does', async () => {
    const tagOf = async (more: Partial<ProvideImageOptions> = {}) => (await planImage(options(more))).tag;
    const first = await tagOf();
    await lay('packages/bridge/src/secret.ts', 'changed');
    expect(await tagOf()).toBe(first);
    const tags = [first];
    await lay('packages/bridge/dist/kikitori-bridge.mjs', 'changed');
    tags.push(await tagOf());
    await lay('containers/vllm/Dockerfile', 'FROM scratch\n');
    tags.push(await tagOf());
    expect(new Set(tags).size).toBe(3);
    expect(ecr.repositories.size).toBe(0);
  });

  it('goes to a repository with immutable tags, a scan, and a rule for images without a tag alone', async () => {
    await builders.install('podman');
    await provideImage(options({ tags: { app: 'kikitori' } }));
    const { settings, lifecyclePolicy } = ecr.repository('kikitori');
    expect(settings).toMatchObject({
      imageTagMutability: 'IMMUTABLE',
      imageScanningConfiguration: { scanOnPush: true },
      tags: [{ Key: 'app', Value: 'kikitori' }],
    });
    const { rules } = JSON.parse(lifecyclePolicy ?? '');
    expect(rules).toHaveLength(1);
    expect(rules[0].selection).toMatchObject({ tagStatus: 'untagged', countNumber: 14 });
  });

  it('ends what a run began that broke off between the repository and its rule', async () => {
    await builders.install('podman');
    const tags = { app: 'kikitori' };
    ecr.fault = (call) => (call === 'PutLifecyclePolicy' ? 'AccessDeniedException' : undefined);
    await expect(provideImage(options({ tags }))).rejects.toMatchObject({ code: 'access_denied' });
    ecr.fault = () => undefined;
    await provideImage(options({ tags }));
    expect(ecr.repository('kikitori').lifecyclePolicy).toContain('untagged');
  });

  it('leaves the settings of a repository that is there alone', async () => {
    ecr.repository('kikitori');
    await builders.install('podman');
    await expect(provideImage(options())).resolves.toMatchObject({ hasMadeRepository: false });
    expect(ecr.calls).not.toContain('CreateRepository');
    expect(ecr.calls).not.toContain('PutLifecyclePolicy');
  });

  it('that somebody else pushed meanwhile is as good', async () => {
    const tag = (await planImage(options())).tag;
    await builders.install('buildah', { fails: {} });
    // Between our look and our push.
    ecr.fault = (call) => {
      if (call === 'DescribeRepositories') ecr.lay('kikitori', tag, {});
      return undefined;
    };
    await expect(provideImage(options())).resolves.toMatchObject({ builtBy: 'buildah', tag });
  });
});

describe('of the builders', () => {
  it('the first that works is taken: docker, finch, podman, buildah', async () => {
    await builders.install('docker', DOWN);
    await builders.install('podman');
    await builders.install('buildah');
    await expect(provideImage(options())).resolves.toMatchObject({ builtBy: 'podman' });
  });

  it('docker without buildx is none that works', async () => {
    await builders.install('docker', {
      fails: { 'buildx version': { says: 'unknown command', exitCode: 1 } },
    });
    await builders.install('buildah');
    await expect(provideImage(options())).resolves.toMatchObject({ builtBy: 'buildah' });
  });

  it('the one that is asked for is taken, and no other', async () => {
    await builders.install('docker');
    await builders.install('buildah', DOWN);
    const asked = provideImage(options({ builder: 'buildah' }));
    await expect(asked).rejects.toMatchObject({ code: 'builder_missing' });
    await expect(asked).rejects.toThrow(/buildah is installed and does not work/);
  });

  it('none is told with what each of them lacks, before anything is made in ECR', async () => {
    await builders.install('docker', DOWN);
    await builders.install('finch', DOWN);
    const failed = provideImage(options());
    await expect(failed).rejects.toMatchObject({ code: 'builder_missing', retryable: false });
    await expect(failed).rejects.toThrow(/docker is installed.*start Docker.*finch vm start.*--image/);
    expect(ecr.repositories.size).toBe(0);
  });

  it('one that fails to build is told with its last words, logged out and cleaned up after', async () => {
    await builders.install('podman', {
      fails: { build: { says: 'no space left on device', exitCode: 125 } },
    });
    await expect(provideImage(options())).rejects.toMatchObject({
      code: 'build_failed',
      serviceText: expect.stringContaining('no space left on device'),
    });
    expect((await builders.runs()).at(-1)?.words).toEqual(['logout', REGISTRY]);
  });

  it('one that fails to push is told as such, and running it again goes on', async () => {
    await builders.install('podman', { fails: { push: { says: 'connection reset', exitCode: 1 } } });
    await expect(provideImage(options())).rejects.toMatchObject({ code: 'push_failed', retryable: true });
    await builders.install('podman');
    await expect(provideImage(options())).resolves.toMatchObject({ hasMadeRepository: false });
  });

  it('one that cannot log in is told as such', async () => {
    await builders.install('docker', {
      fails: { login: { says: 'error storing credentials', exitCode: 1 } },
    });
    await expect(provideImage(options())).rejects.toThrow(/credential helper/);
  });

  it('one that hangs is ended with the signal, and logged out', async () => {
    await builders.install('docker', { hangs: 'buildx build' });
    const controller = new AbortController();
    const onLine = (line: string): void => {
      if (line === 'hanging') controller.abort(new Error('Ctrl-C'));
    };
    await expect(provideImage(options({ onLine, signal: controller.signal }))).rejects.toThrow('Ctrl-C');
    expect((await builders.runs()).at(-1)?.words[0]).toBe('logout');
  });
});

describe('ECR that', () => {
  it('refuses is told by its name', async () => {
    await builders.install('docker');
    ecr.fault = (call) => (call === 'CreateRepository' ? 'AccessDeniedException' : undefined);
    await expect(provideImage(options())).rejects.toMatchObject({ code: 'access_denied' });
  });

  it('made the repository for somebody else at the same moment is no failure', async () => {
    await builders.install('docker');
    ecr.fault = (call) => {
      if (call !== 'CreateRepository') return undefined;
      ecr.repository('kikitori');
      return 'RepositoryAlreadyExistsException';
    };
    await expect(provideImage(options())).resolves.toMatchObject({ hasMadeRepository: false });
  });
});

describe('without what it is built from', () => {
  it('says that the code is not built yet', async () => {
    await rm(join(dir, 'checkout/packages/bridge/dist'), { recursive: true });
    await expect(planImage(options())).rejects.toThrow(/npm run build/);
  });

  it('says that a checkout is needed', async () => {
    await expect(planImage(options({ checkout: dir }))).rejects.toMatchObject({ code: 'context_missing' });
  });
});
