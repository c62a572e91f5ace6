/** The real thing, where it is: Buildah builds an image from nothing and pushes it to a registry that asks for ECR's password. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkImage, STREAMING_LABEL } from '../../src/image/image-check.js';
import { type ProvideImageOptions, provideImage } from '../../src/image/provide-image.js';
import { DOCKER_MANIFEST, FakeEcr } from '../fake-aws/fake-ecr.js';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const isMissing = await promisify(execFile)('buildah', ['--version']).then(
  () => false,
  () => true,
);
if (isMissing) process.stderr.write('no image is built: there is no buildah (apt-get install buildah)\n');

let dir = '';
let ecr: FakeEcr;
let registry = '';

async function lay(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), text);
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kikitori-buildah-'));
  ecr = new FakeEcr();
  await ecr.listen();
  const { host, authority } = await ecr.listenTls();
  registry = host;
  await lay('authority.pem', authority);
  await lay(
    'checkout/containers/vllm/Dockerfile',
    `FROM scratch\nCOPY LICENSE packages/bridge/dist/kikitori-bridge.mjs /\nLABEL ${STREAMING_LABEL}=true\nENTRYPOINT ["/kikitori-bridge.mjs"]\n`,
  );
  await lay(
    'checkout/containers/vllm/Dockerfile.dockerignore',
    '*\n!LICENSE\n!packages/bridge/dist/kikitori-bridge.mjs\n',
  );
  await lay('checkout/LICENSE', 'MIT');
  await lay('checkout/packages/bridge/dist/kikitori-bridge.mjs', 'bridge');
  await lay(
    'storage.conf',
    `[storage]\ndriver = "vfs"\ngraphroot = "${join(dir, 'root')}"\nrunroot = "${join(dir, 'run')}"\n`,
  );
});

afterEach(async () => {
  await ecr.close();
  await rm(dir, { recursive: true, force: true });
});

function options(): ProvideImageOptions {
  return {
    engine: 'vllm',
    endpointName: 'demo',
    accountId: ACCOUNT,
    registry,
    checkout: join(dir, 'checkout'),
    tags: {},
    onLine: () => undefined,
    signal: new AbortController().signal,
    builder: 'buildah',
    env: {
      ...process.env,
      CONTAINERS_STORAGE_CONF: join(dir, 'storage.conf'),
      SSL_CERT_FILE: join(dir, 'authority.pem'),
      REGISTRY_AUTH_FILE: join(dir, 'auth.json'),
    },
  };
}

describe.skipIf(isMissing)('Buildah', () => {
  it('builds the image and pushes it, in a form that SageMaker takes and with its label', async () => {
    const image = await provideImage(ecr.aws(), options());
    expect(image).toMatchObject({ builtBy: 'buildah', hasMadeRepository: true, warnings: [] });
    expect(ecr.pushes).toEqual([`kikitori:${image.tag}`]);
    const { manifests } = ecr.repository('kikitori');
    expect(manifests.get(image.digest)?.mediaType).toBe(DOCKER_MANIFEST);
    const uri = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/kikitori:${image.tag}`;
    const checked = await checkImage(ecr.aws(), uri, new AbortController().signal);
    expect(checked).toMatchObject({ digest: image.digest, warnings: [] });
    expect(ecr.configOf('kikitori', image.tag)).toMatchObject({ os: 'linux', architecture: 'amd64' });

    expect(await provideImage(ecr.aws(), options())).toMatchObject({
      digest: image.digest,
      builtBy: undefined,
    });
    expect(ecr.pushes).toHaveLength(1);
  }, 120_000);

  it('says in its own words why a build failed', async () => {
    await lay('checkout/containers/vllm/Dockerfile', 'FROM scratch\nCOPY not-there /\n');
    await expect(provideImage(ecr.aws(), options())).rejects.toMatchObject({
      code: 'build_failed',
      serviceText: expect.stringContaining('not-there'),
    });
  }, 120_000);
});
