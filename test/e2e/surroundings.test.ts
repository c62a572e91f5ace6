/** The built command where little is as it should be: no home, no room, no output, paths that are no files. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
const sample = join(root, 'samples', 'ferry.flac');
const isLinux = process.platform === 'linux';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-where-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

/** Runs a line of the shell, in which `"$@"` is the command with its words. */
async function shell(line: string, words: readonly string[], { env, uid }: Surroundings = {}) {
  const child = spawn('sh', ['-c', line, 'sh', process.execPath, command, ...words], {
    env: env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let said = '';
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, said };
}

const SENTENCE = /^kikitori: [^\n]+\.\n$/;

describe('an output that takes nothing', () => {
  it.skipIf(!isLinux).each([
    ['>&-', ['transcribe', sample]],
    ['>&-', ['keys', 'list', '--api-keys', 'FOLDER/closed']],
    ['>&-', ['keys', 'add', 'page', '--api-keys', 'FOLDER/closed']],
    ['> /dev/null', ['keys', 'add', 'page', '--api-keys', 'FOLDER/void']],
    ['> /dev/full', ['keys', 'add', 'page', '--api-keys', 'FOLDER/full']],
  ])('is told, and no key is kept that nobody saw: %s, %j', async (to, words) => {
    const filled = words.map((word) => word.replace('FOLDER', folder));
    const { exitCode, said } = await shell(`exec "$@" ${to}`, filled);
    expect([exitCode, said]).toEqual([1, expect.stringMatching(SENTENCE)]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is nothing to a command whose result was thrown away on purpose', async () => {
    expect(await shell('exec "$@" > /dev/null', ['--version'])).toEqual({ exitCode: 0, said: '' });
  });
});

it.skipIf(process.platform === 'win32')('a working folder that is gone is told', async () => {
  const line = 'mkdir "$GONE" && cd "$GONE" && rmdir "$GONE" && exec "$@"';
  const env = { ...process.env, GONE: join(folder, 'gone') };
  expect(await shell(line, ['transcribe', sample], { env })).toEqual({
    exitCode: 1,
    said: 'kikitori: The folder that this was started in is gone; change to another one, and run it again.\n',
  });
});

describe('a store that cannot be', () => {
  const { PATH = '' } = process.env;
  const isRoot = process.getuid?.() === 0;

  it.skipIf(!isRoot)('is told to a user without a home, and to one whose home is not theirs', async () => {
    const homeless = await shell('exec "$@"', ['models', 'pull', 'tiny'], { env: { PATH }, uid: 54_321 });
    expect(homeless).toEqual({ exitCode: 1, said: expect.stringMatching(SENTENCE) });
    expect(homeless.said).toContain('Set KIKITORI_HOME');
    const foreign = { env: { PATH, HOME: '/proc' }, uid: 54_321 };
    expect((await shell('exec "$@"', ['models', 'pull', 'tiny'], foreign)).said).toMatch(
      /^kikitori: The model store \/proc\/\.cache\/kikitori cannot be written\. /,
    );
  });

  it.skipIf(!isLinux)('is told at once, and not tried for ever', async () => {
    const env = { PATH, KIKITORI_HOME: '/proc/x' };
    const { exitCode, said } = await shell('exec "$@"', ['models', 'pull', 'tiny'], { env });
    expect([exitCode, said]).toEqual([1, expect.stringContaining('/proc/x cannot be written')]);
  });
});

it.skipIf(!existsSync('/proc/self/fd'))('a FIFO that nobody writes to is left at Ctrl-C', async () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const child = spawn(process.execPath, [command, 'transcribe', fifo], { stdio: 'ignore' });
  const ended = once(child, 'close');
  for (;;) {
    const fds = `/proc/${child.pid}/fd`;
    const open = await Promise.all((await readdir(fds)).map((fd) => readlink(join(fds, fd)).catch(() => '')));
    if (open.includes(fifo)) break;
    // Turns of the event loop would take the core that the command is to start on.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
});
