import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type PullOptions, pullModel, verifyModel } from '../../src/store/model-store.js';
import { readNpmOptions } from '../../src/store/npm-config.js';
import {
  type LocalServer,
  packToy,
  sendHalf,
  serveRegistry,
  type ToyPackage,
  temporaryFolder,
} from './fake-registry.js';

/** Separate processes run the built package: Node 20 loads no TypeScript. */
const BUILT = new URL('../../dist/store/index.js', import.meta.url).href;

let toy: ToyPackage;
let root: string;
let registry: LocalServer;
const children: ChildProcess[] = [];

beforeAll(async () => {
  toy = await packToy();
});

beforeEach(async () => {
  root = await temporaryFolder();
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await registry.close();
  await rm(root, { recursive: true, force: true });
});

function options(): PullOptions {
  const npm = { registry: registry.url, cache: join(root, 'npm-cache'), retry: { retries: 0 } };
  return { root, catalogue: [toy.entry], npm };
}

/** A process that pulls; `abortAfterMs` of 0: at the first progress. */
function pullElsewhere({ aborts = false } = {}): ChildProcess {
  const script = `
    import { pullModel } from ${JSON.stringify(BUILT)};
    const abort = new AbortController();
    const onProgress = () => { if (${aborts}) abort.abort(new Error('enough')); };
    const options = { ...${JSON.stringify(options())}, signal: abort.signal, onProgress };
    await pullModel('toy', options).then(() => console.log('pulled'), (error) => console.log(error.message));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (block) => {
    text += block;
  });
  await once(child, 'close');
  return `${text.trim()} ${child.exitCode}`;
}

async function expectWhole(): Promise<void> {
  expect(await verifyModel('toy', { ...options() })).toEqual([]);
  expect(await readdir(join(root, 'staging'))).toEqual([]);
}

it('processes that pull at once all end well and leave nothing running', async () => {
  registry = await serveRegistry(toy);
  const outputs = await Promise.all([pullElsewhere(), pullElsewhere(), pullElsewhere()].map(outputOf));
  expect(outputs).toEqual(['pulled 0', 'pulled 0', 'pulled 0']);
  await expectWhole();
});

it('a process that aborts its pull ends by itself, although the registry stalls', async () => {
  registry = await serveRegistry(toy, {
    onTarball: (_, response, tarball) => {
      sendHalf(response, tarball, { thenStall: true });
      return true;
    },
  });
  expect(await outputOf(pullElsewhere({ aborts: true }))).toBe('enough 0');
  expect(await readdir(join(root, 'staging'))).toEqual([]);
});

it('what a killed process left is not taken for a model, and the next pull removes it', async () => {
  let stalled = (): void => {};
  const isStalled = new Promise<void>((resolve) => {
    stalled = resolve;
  });
  registry = await serveRegistry(toy, {
    onTarball: (nth, response, tarball) => {
      if (nth > 1) return false;
      response.writeHead(200, { 'content-length': tarball.length });
      response.write(tarball.subarray(0, tarball.length >> 1), () => stalled());
      return true;
    },
  });
  const child = pullElsewhere();
  await isStalled;
  await untilHalfMade();
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await readdir(join(root, 'models'))).toEqual([]);
  expect(await readdir(join(root, 'staging'))).toHaveLength(1);
  await pullModel('toy', options());
  await expectWhole();
});

/** Until the other process has begun to write. Looks again each turn of the event loop; the test's time bounds it. */
async function untilHalfMade(): Promise<void> {
  for (;;) {
    const folders = await readdir(join(root, 'staging')).catch(() => []);
    for (const folder of folders) {
      const files = await readdir(join(root, 'staging', folder));
      if (files.length > 0) return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it('reads registry and token from the user’s npm configuration', async () => {
  registry = await serveRegistry(toy, { token: 'open-sesame' });
  const { host } = new URL(registry.url);
  const userconfig = join(root, 'user.npmrc');
  const lines = [
    `@toy:registry=${registry.url}/`,
    `//${host}/:_authToken=\${TOY_TOKEN}`,
    `cache=${join(root, 'npm-cache')}`,
    'fetch-retries=0',
  ];
  await writeFile(userconfig, lines.join('\n'));
  const env = { npm_config_userconfig: userconfig, TOY_TOKEN: 'open-sesame', HOME: root };
  const before = { ...env };
  const npm = await readNpmOptions(env, root);
  expect(env).toEqual(before);
  expect(npm).toMatchObject({ '@toy:registry': `${registry.url}/`, retry: { retries: 0 } });
  const { npm: _, ...rest } = options();
  await pullModel('toy', { ...rest, env });
  await expectWhole();

  const envOnly = await readNpmOptions({ npm_config_registry: 'http://127.0.0.1:9/', HOME: root }, root);
  expect(envOnly).toMatchObject({ registry: 'http://127.0.0.1:9/' });
  expect(await readFile(userconfig, 'utf8')).toBe(lines.join('\n'));
});
