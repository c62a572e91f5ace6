import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalEngine } from '../../src/create-engine.js';
import { isStoreName, resolveModel } from '../../src/store/resolve.js';
import { packToy, temporaryFolder } from './fake-registry.js';

let dir: string;

beforeEach(async () => {
  dir = await temporaryFolder();
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function put(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), Buffer.alloc(2000));
  }
}

describe('resolving a folder', () => {
  it.each([
    ['plain', ['encoder_model.onnx', 'decoder_model_merged.onnx']],
    ['quantized', ['encoder_model_quantized.onnx', 'decoder_model_merged_quantized.onnx']],
    ['int8', ['encoder_model_int8.onnx', 'decoder_model_merged_int8.onnx']],
    ['in onnx/', ['onnx/encoder_model.onnx', 'onnx/decoder_model_merged.onnx']],
    ['int8 in onnx/', ['onnx/encoder_model_int8.onnx', 'onnx/decoder_model_merged_int8.onnx']],
  ])('takes the layout "%s"', async (_, files) => {
    await put(...files);
    expect(await resolveModel(dir)).toEqual({
      kind: 'moonshine',
      name: dir,
      dir,
      languages: [],
      licence: 'unknown',
      published: undefined,
      files: {
        encoder: join(dir, files[0] ?? ''),
        decoder: join(dir, files[1] ?? ''),
        tokenizer: undefined,
        config: undefined,
      },
    });
  });

  it('prefers 8 bit, and takes tokenizer and configuration along', async () => {
    await put('onnx/encoder_model.onnx', 'onnx/decoder_model_merged.onnx', 'tokenizer.json', 'config.json');
    await put('onnx/encoder_model_quantized.onnx', 'onnx/decoder_model_merged_quantized.onnx');
    expect((await resolveModel(dir)).files).toEqual({
      encoder: join(dir, 'onnx/encoder_model_quantized.onnx'),
      decoder: join(dir, 'onnx/decoder_model_merged_quantized.onnx'),
      tokenizer: join(dir, 'tokenizer.json'),
      config: join(dir, 'config.json'),
    });
  });

  it('knows a model of the catalogue by its bytes, wherever it lies', async () => {
    const { entry, encoder, decoder } = await packToy({ sizeBytes: 5_000 });
    const options = {
      root: join(dir, 'store'),
      catalogue: [{ ...entry, licence: 'MIT', languages: ['sv'] }],
    };
    await writeFile(join(dir, 'encoder_model.onnx'), encoder);
    await writeFile(join(dir, 'decoder_model_merged.onnx'), decoder);
    expect(await resolveModel(dir, options)).toMatchObject({
      name: dir,
      published: 'toy',
      languages: ['sv'],
      licence: 'MIT',
    });
    decoder[0] = (decoder[0] ?? 0) ^ 1;
    await writeFile(join(dir, 'decoder_model_merged.onnx'), decoder);
    expect(await resolveModel(dir, options)).toMatchObject({
      published: undefined,
      languages: [],
      licence: 'unknown',
    });
  });

  it('does not mix two exports', async () => {
    await put('encoder_model.onnx', 'decoder_model_merged_int8.onnx', 'onnx/decoder_model_merged.onnx');
    await expect(resolveModel(dir)).rejects.toMatchObject({ code: 'model_invalid' });
  });

  it('says what it looked for in a folder that holds no model', async () => {
    await put('model.safetensors');
    await expect(resolveModel(dir)).rejects.toMatchObject({
      name: 'EngineError',
      code: 'model_invalid',
      message: `The folder ${dir} holds no Moonshine model: looked for encoder_model.onnx with decoder_model_merged.onnx (also with _quantized or _int8 before .onnx), in the folder and in its onnx folder.`,
    });
  });

  it('tells a stand-in of Git LFS from a model', async () => {
    await put('encoder_model.onnx', 'decoder_model_merged.onnx');
    await writeFile(join(dir, 'decoder_model_merged.onnx'), 'version https://git-lfs.github.com/spec/v1\n');
    await expect(resolveModel(dir)).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('git lfs pull'),
    });
  });

  it('says what can be named when there is no such folder, or when it is a file', async () => {
    await expect(resolveModel(join(dir, 'nowhere'))).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('Name one of base, tiny, a hub repository as hf:owner/name'),
    });
    await put('model.onnx');
    await expect(resolveModel(join(dir, 'model.onnx'))).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('is a file'),
    });
  });
});

describe('a name', () => {
  it.each([
    ['base', true],
    ['silero', true],
    ['hf:owner/name', true],
    ['./base', false],
    ['models', false],
    ['C:\\models\\base', false],
    ['/srv/base', false],
  ])('%s: known to the store is %s', (name, isKnown) => {
    expect(isStoreName(name)).toBe(isKnown);
  });

  it('of a hub that is none is said to be wrong, whoever asks', () => {
    expect(() => isStoreName('hf:a')).toThrow(expect.objectContaining({ code: 'model_invalid' }));
  });
});

describe('resolving a name', () => {
  it('says how to get a model that is not here', async () => {
    await expect(resolveModel('base', { root: dir })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: 'The model base is not on this machine yet. Run "kikitori models pull base".',
    });
    await expect(resolveModel('hf:a/b', { root: dir })).rejects.toMatchObject({ code: 'model_unavailable' });
    await expect(resolveModel('hf:a', { root: dir })).rejects.toMatchObject({ code: 'model_invalid' });
  });
});

describe('making an engine', () => {
  it('pulls nothing for a name that is neither in the store nor a folder, and says what can be named', async () => {
    // A bare word: nothing about its characters tells a folder from a model.
    await expect(createLocalEngine({ model: 'larch', store: { root: dir } })).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringMatching(
        /^There is no model and no folder .*larch\. Name one of base, tiny, a hub /,
      ),
    });
  });

  it('takes a folder for a folder, also when its name is a bare word and it holds no model', async () => {
    await put('larch/readme.md');
    const model = relative(process.cwd(), join(dir, 'larch'));
    await expect(createLocalEngine({ model, store: { root: dir } })).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('holds no Moonshine model'),
    });
  });
});
