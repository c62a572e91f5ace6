import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/main.js';
import { memoryContext } from '../memory-context.js';

const isRoot = process.getuid?.() === 0;

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
    expect((await run('list', '--api-keys', file)).out).toBe('page\nphone\n');
    expect((await run('rm', 'page', '--api-keys', file)).exit).toBe(0);
    expect(await readFile(file, 'utf8')).toMatch(/^# ours\nphone sha256:[0-9a-f]{64}\n$/);
  });

  it('leaves the file to its owner, and to whoever may read it', async () => {
    const file = join(folder, 'shared');
    await run('add', 'one', '--api-keys', file);
    // A new one is its owner's alone.
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await chmod(file, 0o640);
    // Only root can give files away; the rest holds for everybody.
    const [uid, gid] = isRoot ? [65_534, 65_534] : [(await stat(file)).uid, (await stat(file)).gid];
    await chown(file, uid, gid);
    const link = join(folder, 'link');
    await symlink(file, link);
    await run('add', 'two', '--api-keys', link);
    await run('rm', 'one', '--api-keys', link);
    const after = await stat(file);
    expect([after.mode & 0o777, after.uid, after.gid]).toEqual([0o640, uid, gid]);
    expect((await run('list', '--api-keys', file)).out).toBe('two\n');
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it.skipIf(!isRoot)('changes nothing where the owner could not read it afterwards', async () => {
    const shared = join(folder, 'of-others');
    await mkdir(shared);
    await chmod(folder, 0o755);
    const file = join(shared, 'keys');
    await run('add', 'one', '--api-keys', file);
    await chmod(file, 0o644);
    // Another user, who may write into the folder.
    await chown(shared, 65_534, 65_534);
    const before = await readFile(file, 'utf8');
    const command = join(import.meta.dirname, '..', '..', 'bin', 'kikitori.js');
    for (const words of [
      ['add', 'two'],
      ['rm', 'one'],
    ]) {
      const asked = spawnSync(process.execPath, [command, 'keys', ...words, '--api-keys', file], {
        uid: 65_534,
        gid: 65_534,
        encoding: 'utf8',
      });
      expect([asked.status, asked.stderr]).toEqual([2, expect.stringContaining('as its owner or as root')]);
    }
    expect(await readFile(file, 'utf8')).toBe(before);
    expect(await readdir(shared)).toEqual(['keys']);
  });

  it.each(['output_failed', 'output_closed'] as const)(
    'stores no key that could not be shown: %s',
    async (code) => {
      const file = join(folder, `unseen-${code}`);
      const context = memoryContext();
      context.breakStdout(code);
      expect(await main(['keys', 'add', 'page', '--api-keys', file], context)).toBe(1);
      expect(context.stderr.text).toContain('could not be shown, so it was not put into');
      await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it.each(['void', 'closed'] as const)(
    'stores no key where stdout keeps nothing: %s',
    async (stdoutReader) => {
      const file = join(folder, `nowhere-${stdoutReader}`);
      const context = memoryContext({ stdoutReader });
      expect(await main(['keys', 'add', 'page', '--api-keys', file], context)).toBe(1);
      expect(context.stderr.text).toMatch(/^kikitori: [^\n]+\n$/);
      await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('leaves a file alone that somebody else changed meanwhile', async () => {
    const file = join(folder, 'contended');
    await run('add', 'one', '--api-keys', file);
    const context = memoryContext();
    const theirs = `# theirs\n${await readFile(file, 'utf8')}`;
    context.stdout.whenWritten = () => writeFileSync(file, theirs);
    expect(await main(['keys', 'add', 'two', '--api-keys', file], context)).toBe(2);
    expect(context.stderr.text).toContain('meanwhile');
    expect(await readFile(file, 'utf8')).toBe(theirs);
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
      [['list', '--api-keys', `${file}s`], 2, `There is no file ${file}s`],
      [['rm', 'one', '--api-keys', `${file}s`], 2, `There is no file ${file}s`],
    ] as const) {
      const result = await run(...words);
      expect(result.err, words.join(' ')).toContain(sentence);
      expect([result.exit, result.out]).toEqual([exit, '']);
    }
    expect((await run('list', '--api-keys', file)).out).toBe('one\n');
  });
});
