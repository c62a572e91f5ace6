import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder } from '../../src/store/make-folder.js';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kikitori-folders-'));
});
afterAll(() => rm(root, { recursive: true }));

it('makes what is missing above, also where others make it as well, and minds nothing that is there', async () => {
  const path = join(root, 'a', 'b', 'c');
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(root, 'a', 'b'))]);
  await makeFolder(path);
  expect((await stat(path)).isDirectory()).toBe(true);
});

it('says what stands in the way', async () => {
  const file = join(root, 'file');
  await writeFile(file, '');
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(file, 'a', 'b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it.skipIf(process.platform !== 'linux')('gives up at once in a folder that takes none', async () => {
  await expect(makeFolder('/proc/kikitori/a/b')).rejects.toMatchObject({ code: 'ENOENT' });
});
