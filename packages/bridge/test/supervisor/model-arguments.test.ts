import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelOf, variablesOf } from '../../src/supervisor/model-arguments.js';

const empty = mkdtempSync(join(tmpdir(), 'kikitori-model-'));
const filled = mkdtempSync(join(tmpdir(), 'kikitori-model-'));
writeFileSync(join(filled, 'config.json'), '{}');

const build = (env: Record<string, string>): string[] =>
  [...variablesOf(env).values()].flatMap(({ tokens }) => tokens);

describe('modelOf', () => {
  it('is SM_VLLM_MODEL, else SageMaker’s folder where it holds anything, else HF_MODEL_ID', () => {
    const model = (env: Record<string, string>, directory: string): string | undefined =>
      modelOf(env, directory)?.value;
    expect(model({ SM_VLLM_MODEL: 'a/b', HF_MODEL_ID: 'c/d' }, filled)).toBe('a/b');
    expect(model({ HF_MODEL_ID: 'c/d' }, filled)).toBe(filled);
    expect(model({ HF_MODEL_ID: 'c/d' }, empty)).toBe('c/d');
    expect(model({ HF_MODEL_ID: 'c/d' }, join(empty, 'gone'))).toBe('c/d');
    expect(model({ HF_MODEL_ID: '', SM_VLLM_MODEL: '' }, empty)).toBeUndefined();
  });
});

describe('variablesOf', () => {
  it('leaves port and model to other rules', () => {
    expect(build({ SM_VLLM_PORT: '8080', SM_VLLM_MODEL: 'a/b', OTHER: 'x' })).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ['a value is one token', '45000', ['--x-y', '45000']],
    ['a value with spaces is one token', 'a b', ['--x-y', 'a b']],
    ['true is a bare flag', 'true', ['--x-y']],
    ['True is too', 'True', ['--x-y']],
    ['nothing is a bare flag', '', ['--x-y']],
    ['false is no flag', 'false', []],
    [
      'an array is a token for each element',
      '["a", "b c", 3, {"d":1}]',
      ['--x-y', 'a', 'b c', '3', '{"d":1}'],
    ],
    ['an empty array is no flag', '[]', []],
    ['an object is one token, as it is written', '{"a": {"b": 1}}', ['--x-y', '{"a": {"b": 1}}']],
    [
      'several objects are a token each',
      '{"a": "}{ \\" "} {"b":{"c":2}}',
      ['--x-y', '{"a": "}{ \\" "}', '{"b":{"c":2}}'],
    ],
    ['what only begins like JSON is a value', '[half', ['--x-y', '[half']],
    ['what only begins like objects is a value', '{"a":1} x', ['--x-y', '{"a":1} x']],
    ['an open brace is a value', '{"a"', ['--x-y', '{"a"']],
  ])('%s', (_rule, value, tokens) => {
    expect(build({ SM_VLLM_X_Y: value })).toEqual(tokens);
  });

  it.each(['ALLOWED_ORIGINS', 'ALLOWED_METHODS', 'ALLOWED_HEADERS', 'MIDDLEWARE'])(
    'keeps the array of %s as JSON',
    (name) => {
      const flag = `--${name.toLowerCase().replace('_', '-')}`;
      expect(build({ [`SM_VLLM_${name}`]: '["*"]' })).toEqual([flag, '["*"]']);
    },
  );

  it('sorts the flags by name', () => {
    const env = { SM_VLLM_MAX_NUM_SEQS: '4', SM_VLLM_ENFORCE_EAGER: 'true', SM_VLLM_MAX_MODEL_LEN: '8192' };
    expect(build(env)).toEqual(['--enforce-eager', '--max-model-len', '8192', '--max-num-seqs', '4']);
  });
});
