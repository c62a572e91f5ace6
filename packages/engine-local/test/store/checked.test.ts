import { copyFile, mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLocalEngine } from '../../src/create-engine.js';
import { CATALOGUE } from '../../src/store/catalogue.js';
import { CHECKED_NAME, lookOf } from '../../src/store/checked.js';
import { MANIFEST_NAME } from '../../src/store/manifest.js';
import { pullModel, verifyModel } from '../../src/store/model-store.js';
import { type ModelStoreOptions, resolveModel } from '../../src/store/resolve.js';
import { packToy, serveRegistry, type ToyPackage, temporaryFolder } from './fake-registry.js';

let toy: ToyPackage;
let root: string;
let options: ModelStoreOptions;
let encoder: string;
/** Where nobody listens any more. */
let gone: string;

beforeAll(async () => {
  toy = await packToy();
});

beforeEach(async () => {
  root = await temporaryFolder();
  options = { root, catalogue: [toy.entry] };
  encoder = join(root, 'models', 'toy', 'encoder_model.onnx');
  const registry = await serveRegistry(toy);
  await pullModel('toy', { ...options, npm: { registry: registry.url, cache: join(root, 'cache') } });
  gone = registry.url;
  await registry.close();
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const LONG_AGO_S = 1_000_000_000;
const zeros = () => Buffer.alloc(toy.encoder.length);
const damaged = {
  code: 'model_invalid',
  message:
    'The model toy in the store is damaged (encoder_model.onnx). Run "kikitori models pull toy" to repair it.',
};

/** Makes the store believe that the encoder was read as it is now. */
async function vouch(): Promise<void> {
  const path = join(root, 'models', 'toy', CHECKED_NAME);
  const [file] = toy.entry.files;
  if (file === undefined) throw new Error('the toy has files');
  const { look } = await lookOf(encoder, file);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), [file.name]: look }));
}

describe('a model that is loaded', () => {
  it('is refused when a file of it has the right size and other bytes', async () => {
    await writeFile(encoder, zeros());
    await expect(resolveModel('toy', options)).rejects.toMatchObject(damaged);
    // Found again, not taken as checked.
    await expect(resolveModel('toy', options)).rejects.toMatchObject(damaged);
  });

  it('is refused also where the time of the file was set back', async () => {
    // A whole second: of another time a part would be lost.
    await utimes(encoder, LONG_AGO_S, LONG_AGO_S);
    await resolveModel('toy', options);
    await writeFile(encoder, zeros());
    await utimes(encoder, LONG_AGO_S, LONG_AGO_S);
    await expect(resolveModel('toy', options)).rejects.toMatchObject(damaged);
  });

  it('is refused where another file was put in the place, with the same times', async () => {
    await utimes(encoder, LONG_AGO_S, LONG_AGO_S);
    await resolveModel('toy', options);
    await writeFile(`${encoder}.new`, zeros());
    await utimes(`${encoder}.new`, LONG_AGO_S, LONG_AGO_S);
    await rename(`${encoder}.new`, encoder);
    await expect(resolveModel('toy', options)).rejects.toMatchObject(damaged);
  });

  it('is read where it changed, and not again: a copy that is right counts from its first check on', async () => {
    await copyFile(encoder, `${encoder}.copy`);
    await rename(`${encoder}.copy`, encoder);
    await expect(resolveModel('toy', options)).resolves.toMatchObject({ name: 'toy' });
    await writeFile(encoder, zeros());
    await vouch();
    await expect(resolveModel('toy', options)).resolves.toMatchObject({ name: 'toy' });
    expect(await verifyModel('toy', options)).toEqual([{ file: 'encoder_model.onnx', problem: 'checksum' }]);
  });

  it('is read where another sum is expected of it', async () => {
    const files = toy.entry.files.map((file) => ({ ...file, sha256: '0'.repeat(64) }));
    await expect(resolveModel('toy', { root, catalogue: [{ ...toy.entry, files }] })).rejects.toMatchObject({
      code: 'model_invalid',
    });
  });

  it('is read at every start where nothing can be noted beside it', async () => {
    const note = join(root, 'models', 'toy', CHECKED_NAME);
    await rm(note);
    await mkdir(note);
    await expect(resolveModel('toy', options)).resolves.toMatchObject({ name: 'toy' });
    await writeFile(encoder, zeros());
    await expect(resolveModel('toy', options)).rejects.toMatchObject(damaged);
  });

  it.each(['[]', 'null', '{"encoder_model.onnx": 1}', '{'])(
    'is read where the note says %s',
    async (note) => {
      await writeFile(join(root, 'models', 'toy', CHECKED_NAME), note);
      await expect(resolveModel('toy', options)).resolves.toMatchObject({ name: 'toy' });
      await writeFile(encoder, zeros());
      await expect(resolveModel('toy', options)).rejects.toMatchObject(damaged);
    },
  );

  it('is said to be damaged, and where, when it cannot be fetched again', async () => {
    const silero = CATALOGUE.find(({ name }) => name === 'silero');
    if (silero === undefined) throw new Error('there is a voice detector');
    const dir = join(root, 'models', 'silero');
    await mkdir(dir);
    await writeFile(join(dir, MANIFEST_NAME), JSON.stringify(silero));
    for (const { name, sizeBytes } of silero.files) await writeFile(join(dir, name), Buffer.alloc(sizeBytes));
    const env = {
      npm_config_registry: gone,
      npm_config_cache: root,
      npm_config_fetch_retries: '0',
    };
    const store = { root, env, catalogue: [toy.entry, silero] };
    await expect(createLocalEngine({ model: 'toy', store })).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringMatching(/silero .*\(silero_vad_v5\.onnx, .*models pull silero/),
      cause: { code: 'model_unavailable' },
    });
  });
});
