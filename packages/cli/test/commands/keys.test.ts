import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/main.js';
import { memoryContext } from '../memory-context.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...words: string[]) {
  const context = memoryContext();
  const exit = await main(['keys', ...words], context);
  return { exit, out: context.stdout.text, err: context.stderr.text };
}

describe('kikitori keys', () => {
  it('makes a key that is shown once and stored as a hash, lists names, removes', async () => {
    const file = join(folder, 'keys');
    await writeFile(file, '# ours');
    const { exit, out } = await run('add', 'page', '--api-keys', file);
    expect([exit, out]).toEqual([0, expect.stringMatching(/^kk_[\w-]{32}\n$/)]);
    await run('add', 'phone', '--api-keys', file);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^# ours\npage sha256:[0-9a-f]{64}\nphone sha256:[0-9a-f]{64}\n$/);
    expect(text).not.toContain(out.trim());
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await run('list', '--api-keys', file)).out).toBe('page\nphone\n');
    expect((await run('rm', 'page', '--api-keys', file)).exit).toBe(0);
    expect(await readFile(file, 'utf8')).toMatch(/^# ours\nphone sha256:[0-9a-f]{64}\n$/);
  });

  it('says what is wrong in a sentence', async () => {
    const file = join(folder, 'other');
    await run('add', 'one', '--api-keys', file);
    for (const [words, exit, sentence] of [
      [['add', 'one', '--api-keys', file], 2, 'already'],
      [['add', 'a b', '--api-keys', file], 2, 'cannot be the name'],
      [['rm', 'two', '--api-keys', file], 2, 'no key two'],
      [['list'], 2, '--api-keys FILE'],
      [['list', '--api-keys', folder], 2, 'cannot be read'],
    ] as const) {
      const result = await run(...words);
      expect(result.err, words.join(' ')).toContain(sentence);
      expect([result.exit, result.out]).toEqual([exit, '']);
    }
    expect((await run('list', '--api-keys', file)).out).toBe('one\n');
  });
});
