/**
 * The images of `containers/`, built and run as SageMaker runs them, as far as one machine without GPU and engine goes: the
 * Dockerfiles are the real ones, their base images are stand-ins, and buildah takes the engine's part.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { resolveModel } from '@kikitori/engine-local';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { differenceOf, wordsOf } from '../e2e/reliability/words.js';
import { Buildah, type ContainerRun, type ImageConfig, type RunOptions, whyNoContainers } from './buildah.js';
import { buildNodeImage, buildVllmImage } from './stand-in.js';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
const NODE = 'localhost/node-stand-in';
const VLLM = 'localhost/vllm-stand-in';
const LABEL = 'com.amazonaws.sagemaker.capabilities.bidirectional-streaming';
const BUILD_MS_MAX = 300_000;
/** Loading a model on a busy machine, and a sample through it. */
const RUN_MS_MAX = 120_000;

const models = await Promise.all([resolveModel('tiny'), resolveModel('silero')]).catch(() => undefined);
const missing =
  models === undefined
    ? 'the models tiny and silero are not here (npx kikitori models pull tiny)'
    : await whyNoContainers();
if (missing !== undefined) process.stderr.write(`the images of containers/ are not tested: ${missing}\n`);
const tinyDir = models?.[0].dir ?? '';
const storeDir = dirname(dirname(tinyDir));

const runs: ContainerRun[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(runs.splice(0).map((one) => one.destroy()));
});

/** Speaks a sample to a container over SageMaker's path. */
function transcribe(port: number, words: readonly string[]) {
  const url = `ws://127.0.0.1:${port}/invocations-bidirectional-stream`;
  const args = [command, 'transcribe', join(root, 'samples/ferry.flac'), '--url', url, ...words];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const spoken = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    spoken.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    spoken.err += text;
  });
  const ended = once(child, 'close').then(() => ({ ...spoken, exitCode: child.exitCode }));
  return { ended, firstWords: once(child.stdout, 'data') };
}

const said = wordsOf(
  `Good morning. The ferry to the island leaves at nine fifteen from pier four. Please have your tickets ready.
   The crossing takes forty minutes.`,
);

/** Nothing is missing at the begin, in the middle or at the end; which word was heard is the recogniser's affair. */
function expectWhole({ exitCode, out, err }: { exitCode: number | null; out: string; err: string }): void {
  expect(exitCode, err).toBe(0);
  const { lost, added, changed, longestRun } = differenceOf(said, wordsOf(out));
  expect(longestRun, out).toBeLessThan(4);
  expect(lost.length + added.length + changed.length, out).toBeLessThan(said.length / 2);
}

/** The same sample as a file, as SageMaker's InvokeEndpoint sends it. */
async function expectFileHeard(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/invocations`, {
    method: 'POST',
    headers: {
      'content-type': 'audio/flac',
      'x-amzn-sagemaker-custom-attributes': 'response_format=text&language=en',
    },
    body: new Uint8Array(await readFile(join(root, 'samples/ferry.flac'))),
  });
  const out = await response.text();
  expectWhole({ exitCode: response.status === 200 ? 0 : response.status, out, err: out });
}

async function statusOf(port: number, method = 'GET'): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/ping`, { method, signal: AbortSignal.timeout(2_000) }))
    .status;
}

async function untilHealthy(port: number): Promise<void> {
  await vi.waitFor(async () => expect(await statusOf(port)).toBe(200), { timeout: 60_000, interval: 200 });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It listens on a host and port, so its address is one.
  const { port } = server.address() as AddressInfo;
  await promisify(server.close.bind(server))();
  return port;
}

/** For the build: npm's settings of this machine, and its cache, so that next to nothing is fetched again. */
async function npmForBuild(dir: string) {
  const read = async (name: string): Promise<string> => {
    return (await promisify(execFile)('npm', ['config', 'get', name], { cwd: root })).stdout.trim();
  };
  const [registry, cache, userconfig, cafile] = await Promise.all(
    ['registry', 'cache', 'userconfig', 'cafile'].map(read),
  );
  const authorities = cafile === 'null' || cafile === '' ? process.env['NODE_EXTRA_CA_CERTS'] : cafile;
  const own = await readFile(userconfig ?? '', 'utf8').catch(() => '');
  const lines = [own, `registry=${registry}`, 'cache=/npm/cache', 'prefer-offline=true'];
  if (authorities !== undefined) lines.push('cafile=/npm/authorities.pem');
  const npmrc = join(dir, 'npmrc');
  await writeFile(npmrc, `${lines.join('\n')}\n`, { mode: 0o600 });
  return {
    secrets: { npmrc },
    volumes: {
      [cache ?? '']: '/npm/cache',
      ...(authorities === undefined ? {} : { [authorities]: '/npm/authorities.pem:ro' }),
    },
  };
}

describe.skipIf(missing !== undefined)('the image', () => {
  let dir = '';
  let buildah: Buildah;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kikitori-containers-'));
    await mkdir(join(dir, 'tmp'));
    await mkdir(join(dir, 'gate'));
    buildah = await Buildah.open(dir);
    await buildNodeImage(buildah, join(dir, 'node'), NODE);
  }, BUILD_MS_MAX);
  afterAll(async () => await rm(dir, { recursive: true, force: true }), BUILD_MS_MAX);

  function start(container: string, options: RunOptions): ContainerRun {
    const started = buildah.start(container, options);
    runs.push(started);
    return started;
  }

  describe('with vLLM and the bridge', () => {
    let config: ImageConfig;
    let container = '';
    beforeAll(async () => {
      await buildVllmImage(buildah, join(dir, 'vllm'), VLLM, NODE);
      await buildah.build({
        tag: 'localhost/kikitori-vllm',
        dockerfile: join(root, 'containers/vllm/Dockerfile'),
        context: root,
        args: { BASE_IMAGE: VLLM, NODE_IMAGE: NODE },
      });
      config = await buildah.configOf('localhost/kikitori-vllm');
      container = await buildah.create('localhost/kikitori-vllm');
    }, BUILD_MS_MAX);

    /** As an endpoint starts it: `serve`, the model in /opt/ml/model, the rest in variables. Ports: any that are free. */
    async function serve(): Promise<{ run: ContainerRun; port: number }> {
      const run = start(container, {
        words: [...config.entrypoint, 'serve'],
        env: {
          KIKITORI_BRIDGE_PORT: '0',
          KIKITORI_BRIDGE_UPSTREAM: `ws://127.0.0.1:${await findFreePort()}/v1/realtime`,
          SM_VLLM_MAX_MODEL_LEN: '45000',
          SM_VLLM_COMPILATION_CONFIG: '{"cudagraph_mode": "PIECEWISE"}',
          SM_VLLM_SERVED_MODEL_NAME: 'voxtral',
          KIKITORI_HOME: '/srv/store',
        },
        volumes: {
          [tinyDir]: '/opt/ml/model',
          [root]: '/srv/kikitori',
          [storeDir]: '/srv/store',
          [join(dir, 'gate')]: '/srv/gate',
        },
      });
      const [, port] = await run.until(/"msg":"listening","port":(\d+)/);
      return { run, port: Number(port) };
    }

    it('has the label, and starts model server and bridge when it is told nothing', () => {
      expect(config.labels).toMatchObject({ [LABEL]: 'true' });
      expect(config.command).toStrictEqual(['serve']);
    });

    it('brings the licences of what it brings', async () => {
      const show = `for (const file of ['LICENSE', 'node.LICENSE', 'kikitori-bridge.mjs'])
        process.stdout.write(fs.readFileSync('/opt/kikitori/' + file, 'utf8').match(/MIT License|Node.s licence/)[0] + ',')`;
      const run = start(container, { words: ['/opt/kikitori/bin/node', '-e', show] });
      expect(await run.end()).toBe(0);
      expect(run.output).toBe("MIT License,Node's licence,MIT License,");
    });

    it('brings the audio libraries that the base lacks', async () => {
      const show = 'process.stdout.write(fs.readFileSync("/opt/stand-in/installed"))';
      const run = start(container, { words: ['/opt/kikitori/bin/node', '-e', show] });
      expect(await run.end()).toBe(0);
      expect(run.output).toMatch(/^librosa==\S+ soundfile==\S+ soxr==\S+$/);
    });

    it(
      'transcribes, and on SIGTERM lets a speaker finish before it ends',
      async () => {
        const { run, port } = await serve();
        expect(await statusOf(port)).toBe(503);
        const check = { words: config.healthCheck, env: { KIKITORI_BRIDGE_PORT: String(port) }, beside: run };
        expect(await start(container, check).end()).toBe(1);
        await writeFile(join(dir, 'gate', 'loaded'), '');
        await run.until(/"msg":"model server ready"/);
        await untilHealthy(port);
        expect(await statusOf(port, 'POST')).toBe(200);
        expect(await start(container, check).end()).toBe(0);
        await expectFileHeard(port);
        // At a pace at which somebody still speaks when the signal comes.
        const { ended, firstWords } = transcribe(port, ['--model', 'voxtral', '--pace', '2x']);
        await firstWords;
        await run.signal('SIGTERM');
        expectWhole(await ended);
        expect(await run.end()).toBe(0);
        await expect(statusOf(port)).rejects.toThrow();
      },
      RUN_MS_MAX,
    );
  });

  describe('with the embedded engine', () => {
    let config: ImageConfig;
    let container = '';
    beforeAll(async () => {
      await buildah.build({
        tag: 'localhost/kikitori-moonshine',
        dockerfile: join(root, 'containers/moonshine/Dockerfile'),
        context: root,
        args: { NODE_IMAGE: NODE, MODEL: 'tiny' },
        ...(await npmForBuild(dir)),
      });
      config = await buildah.configOf('localhost/kikitori-moonshine');
      container = await buildah.create('localhost/kikitori-moonshine');
    }, BUILD_MS_MAX);

    async function serve(options: Partial<RunOptions> = {}): Promise<{ run: ContainerRun; port: number }> {
      const run = start(container, {
        ...options,
        words: [...config.entrypoint, 'serve'],
        env: { KIKITORI_PORT: '0', ...options.env },
      });
      const [, port] = await run.until(/Listening on 0\.0\.0\.0 port (\d+)/);
      return { run, port: Number(port) };
    }

    it('has the label, and serves when it is told nothing', () => {
      expect(config.labels).toMatchObject({ [LABEL]: 'true' });
      expect(config.command).toStrictEqual(['serve']);
    });

    it('brings the licences of what it brings, and nothing for graphics cards', async () => {
      const show = `const folder = '/opt/kikitori/node_modules/onnxruntime-node/bin/napi-v6/linux/' + process.arch;
        process.stdout.write(fs.readdirSync(folder).filter((name) => name.includes('providers')).join());
        process.stdout.write(fs.readFileSync('/opt/kikitori/packages/cli/dist/THIRD-PARTY.md', 'utf8').slice(0, 99))`;
      const run = start(container, { words: ['node', '-e', show] });
      expect(await run.end()).toBe(0);
      expect(run.output).toMatch(/^# What kikitori brings along\n/);
    });

    it(
      'transcribes with the model that it holds, and ends on SIGTERM',
      async () => {
        const { run, port } = await serve();
        await untilHealthy(port);
        expect(await statusOf(port, 'POST')).toBe(200);
        const check = { words: config.healthCheck, env: { KIKITORI_PORT: String(port) } };
        expect(await start(container, { ...check, beside: run }).end()).toBe(0);
        expectWhole(await transcribe(port, ['--pace', 'max']).ended);
        await expectFileHeard(port);
        await run.signal('SIGTERM');
        expect(await run.end()).toBe(0);
        expect(await start(container, check).end()).toBe(1);
      },
      RUN_MS_MAX,
    );

    it(
      'transcribes with a model in /opt/ml/model',
      async () => {
        const { run, port } = await serve({
          env: { KIKITORI_MODEL: '/opt/ml/model' },
          volumes: { [tinyDir]: '/opt/ml/model' },
        });
        await run.until(/is ready: \/opt\/ml\/model|is ready: model/);
        await untilHealthy(port);
        expectWhole(await transcribe(port, ['--pace', 'max']).ended);
      },
      RUN_MS_MAX,
    );
  });
});
