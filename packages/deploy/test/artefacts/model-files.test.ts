import { describe, expect, it } from 'vitest';
import { chooseModelFiles } from '../../src/artefacts/model-files.js';

const files = (...paths: readonly string[]) => paths.map((path) => ({ path }));
const chosen = (...paths: readonly string[]) =>
  chooseModelFiles(files(...paths)).files?.map(({ path }) => path);

describe('of a repository', () => {
  it('with both layouts, Mistral’s is taken, and nothing of the other', () => {
    const mistral = ['consolidated.safetensors', 'params.json', 'tekken.json'];
    const others = [
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'README.md',
      'processor_config.json',
    ];
    expect(chosen(...others, ...mistral)).toEqual(mistral);
  });

  it('in shards, every shard is taken', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const rest = [
      'config.json',
      'tokenizer.json',
      'model.safetensors.index.json',
      'preprocessor_config.json',
    ];
    expect(chosen(...shards, ...rest)).toEqual([...shards, ...rest]);
  });

  it('with a shard missing, it is named', () => {
    expect(
      chooseModelFiles(files('config.json', 'tokenizer.json', 'model-00001-of-00003.safetensors')).missing,
    ).toEqual(['model-00002-of-00003.safetensors', 'model-00003-of-00003.safetensors']);
  });

  it('what is missing is that of the layout that comes nearest', () => {
    expect(chooseModelFiles(files('params.json', 'consolidated.safetensors')).missing).toEqual([
      'tekken.json',
    ]);
    expect(chooseModelFiles(files('config.json', 'tokenizer.json')).missing).toEqual(['model.safetensors']);
    expect(chooseModelFiles([]).missing).toEqual(['consolidated.safetensors', 'params.json', 'tekken.json']);
  });

  it('programs are never taken', () => {
    const model = ['config.json', 'tokenizer.json', 'model.safetensors'];
    expect(
      chosen(...model, 'modeling_x.py', 'pytorch_model.bin', 'model.pt', 'folder/model.safetensors'),
    ).toEqual(model);
  });

  it('files in folders are none of it', () => {
    expect(
      chooseModelFiles(files('a/params.json', 'a/consolidated.safetensors', 'a/tekken.json')).format,
    ).toBe(undefined);
  });
});
