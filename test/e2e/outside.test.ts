/**
 * What the command does to the world around it: the kernel is asked (`strace`) which names it looks up, whom it connects
 * to and what it writes. Nobody may be contacted who was not named by the user, whatever a library has in mind.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listModels } from '@kikitori/engine-local';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shareHeard } from './reliability/words.js';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
const sample = join(root, 'samples', 'ferry.flac');

/** Calls that reach out or leave something behind. */
const WATCHED = [
  ...['socket', 'connect', 'bind', 'sendto', 'sendmsg', 'sendmmsg'],
  ...['open', 'openat', 'creat', 'mkdir', 'mkdirat', 'mknod', 'mknodat', 'rename', 'renameat', 'renameat2'],
  ...[
    'link',
    'linkat',
    'symlink',
    'symlinkat',
    'unlink',
    'unlinkat',
    'rmdir',
    'truncate',
    'chmod',
    'fchmodat',
  ],
];
/** Of the files that are opened, only those that are opened to write. */
const READS = /^(open|openat)\((?!.*\b(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE)\b)/;

const models = (await listModels()).filter(
  ({ name, state }) => ['tiny', 'silero'].includes(name) && state === 'present',
);
// Not every container lets a process be traced.
const canTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0;

let home = '';
const started: ChildProcess[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kikitori-outside-'));
  await mkdir(join(home, 'tmp'));
  for (const { name, dir } of models) {
    await cp(dir, join(home, '.cache', 'kikitori', 'models', name), { recursive: true });
  }
});
afterEach(async () => {
  // A process goes on when the one that watched it is killed.
  for (const child of started.splice(0)) for (const signalled of await family(child)) signalled('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

/** How to signal what is watched, and the watcher behind it. */
async function family(child: ChildProcess): Promise<((signal: NodeJS.Signals) => void)[]> {
  const watched = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
  const pids = watched.trim().split(' ').filter(Boolean).map(Number);
  return [
    ...pids.map((pid) => (signal: NodeJS.Signals) => void process.kill(pid, signal)),
    (s) => child.kill(s),
  ];
}

/** A command with a home of its own and nothing in the environment but what a library may take for consent. */
function watch(words: readonly string[]): ChildProcess {
  const log = join(home, '.trace');
  const args = ['-f', '-qq', '-s', '256', '-o', log, '-e', `trace=?${WATCHED.join(',?')}`];
  const child = spawn('strace', [...args, process.execPath, command, ...words], {
    cwd: root,
    // A home alone, because what is called CI keeps libraries quiet that are loud on a desk.
    env: { PATH: process.env['PATH'], HOME: home, TMPDIR: join(home, 'tmp'), ORT_DISABLE_TELEMETRY: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  return child;
}

/** What the finished command did, without process numbers and without what it only read. */
async function deeds(): Promise<string[]> {
  const log = await readFile(join(home, '.trace'), 'utf8');
  const calls = log
    .split('\n')
    .map((line) => line.replace(/^\d+\s+/, ''))
    .filter((line) => WATCHED.some((name) => line.startsWith(`${name}(`)));
  expect(calls.length).toBeGreaterThan(100);
  return calls.filter((call) => !READS.test(call) && !call.includes('"/dev/null"'));
}

/** What a start notes in the store, because it was copied here: docs/engine.md, "Models". */
const NOTES = ['tiny', 'silero'].map((name) =>
  expect.stringContaining(`/.cache/kikitori/models/${name}/checked.json", O_WRONLY|`),
);

describe.skipIf(!canTrace || models.length < 2)('the world around', () => {
  it('hears nothing of kikitori transcribe, which writes nothing but that the models are right', async () => {
    const child = watch(['transcribe', sample, '--model', 'tiny']);
    let out = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(shareHeard('ferry.flac', out), out).toBeGreaterThan(1 / 2);
    expect(await deeds()).toEqual(NOTES);
    expect((await readdir(home)).sort()).toEqual(['.cache', '.trace', 'tmp']);
    expect(await readdir(join(home, '.cache'))).toEqual(['kikitori']);
  }, 120_000);

  it('hears nothing of kikitori serve but its own port, and finds no other file of it', async () => {
    const child = watch(['serve', '--model', 'tiny', '--port', '0']);
    let out = '';
    child.stdout?.setEncoding('utf8');
    for await (const text of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      out += text;
      if (/is ready[\s\S]*http:\/\/127\.0\.0\.1:\d+\/health/.test(out)) break;
    }
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0];
    const form = new FormData();
    form.set('file', new Blob([await readFile(sample)]), 'ferry.flac');
    const answer = await fetch(`${url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    expect(shareHeard('ferry.flac', await answer.text())).toBeGreaterThan(1 / 2);
    child.stdout?.resume();
    const [stop] = await family(child);
    stop?.('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    // What was sent lies in a folder of its own until it is answered.
    const isPassing = (deed: string): boolean => deed.includes(`"${home}/tmp/kikitori-`);
    expect(await readdir(join(home, 'tmp'))).toEqual([]);
    expect((await deeds()).filter((deed) => !isPassing(deed))).toEqual([
      expect.stringMatching(/^socket\(AF_INET, SOCK_STREAM/),
      expect.stringMatching(/^bind\(\d+, \{sa_family=AF_INET, .*"127\.0\.0\.1"/),
      ...NOTES,
    ]);
    expect(await readdir(join(home, '.cache'))).toEqual(['kikitori']);
  }, 120_000);
});
