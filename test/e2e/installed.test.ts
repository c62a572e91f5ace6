/**
 * What somebody has who installs the tarballs of `npm pack` into an empty folder, outside of any checkout: npm finds
 * everything that they need, the types compile, the command hears a sample and serves, and a program of theirs
 * speaks to it with the client. What others publish comes from the registry, as it would for them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listModels } from '@kikitori/engine-local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shareHeard } from './reliability/words.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const sample = join(root, 'samples', 'ferry.flac');
/** What the client needs of ours: packed and installed without the rest. */
const CLIENT = ['core', 'protocol', 'audio', 'transport', 'client'];
/** npm's words for a registry that is not there. */
const NO_REGISTRY =
  /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED|EIDLETIMEOUT/;

const hasModels =
  (await listModels()).filter(({ name, state }) => ['tiny', 'silero'].includes(name) && state === 'present')
    .length === 2;

let home = '';
/** Why nothing could be installed, when it is not our fault. */
let isOffline = false;
const at = (...path: string[]): string => join(home, ...path);

/** Installs what `isWanted` picks of the tarballs into a folder where nothing is. */
async function install(folder: string, isWanted: (tarball: string) => boolean): Promise<void> {
  await mkdir(at(folder));
  await writeFile(at(folder, 'package.json'), '{"private": true, "type": "module"}');
  const tarballs = (await readdir(at('tarballs'))).filter(isWanted).map((file) => at('tarballs', file));
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--ignore-scripts', '--prefer-offline'];
  await run('npm', ['install', ...quiet, ...tarballs], { cwd: at(folder) }).catch((error: unknown) => {
    if (!NO_REGISTRY.test(String(error))) throw error;
    isOffline = true;
  });
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kikitori-installed-'));
  await mkdir(at('tarballs'));
  await run('npm', ['pack', '--workspaces', '--ignore-scripts', '--pack-destination', at('tarballs')], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  await install('program', (tarball) =>
    CLIENT.some((name) => new RegExp(`^kikitori-${name}-\\d`).test(tarball)),
  );
  await install('command', (tarball) => tarball.endsWith('.tgz'));
}, 600_000);
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Asks which models there are, hears a file, and tells which events came. */
const PROGRAM = `
import { decodeFile } from '@kikitori/audio/file';
import { type SessionEvent, servedModels, transcribe } from '@kikitori/client';

const [url = '', file = ''] = process.argv.slice(2);
const [model] = await servedModels(url);
const transcription = transcribe(await decodeFile(file), { url, model: model?.id ?? '', words: true });
const seen = new Set<SessionEvent['type']>();
for await (const event of transcription) {
  seen.add(event.type);
  if (event.type === 'delta') process.stdout.write(event.text);
}
const { words } = await transcription.transcript;
process.stderr.write(JSON.stringify({ seen: [...seen].sort(), words: words.length }));
`;
const BROWSER_PROGRAM = `
import { openSession } from '@kikitori/client';
import { startCapture } from '@kikitori/client/browser';
export const ways = [openSession, startCapture];
`;

/** The installed command, where nothing else is. */
function command(...words: string[]): ChildProcess {
  return spawn(
    process.execPath,
    [at('command', 'node_modules', 'kikitori', 'bin', 'kikitori.js'), ...words],
    {
      cwd: at('command'),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
}

describe('the client, installed from its tarballs', () => {
  it('has types that compile, on Node and in a browser, with every check on', async ({ skip }) => {
    skip(isOffline, 'no registry here');
    await writeFile(at('program', 'node.ts'), PROGRAM);
    await writeFile(at('program', 'browser.ts'), BROWSER_PROGRAM);
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const strict = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck', 'false'];
    const types = ['--typeRoots', join(root, 'node_modules', '@types'), '--types', 'node'];
    const tries = [
      run(tsc, [...strict, ...types, '--lib', 'es2023,esnext.disposable,dom', 'node.ts'], {
        cwd: at('program'),
      }),
      run(
        tsc,
        [...strict, '--noEmit', '--types', '', '--lib', 'es2023,esnext.disposable,dom', 'browser.ts'],
        {
          cwd: at('program'),
        },
      ),
    ];
    const said = await Promise.all(tries.map((each) => each.catch((error: { stdout: string }) => error)));
    expect(said.map(({ stdout }) => stdout)).toEqual(['', '']);
  }, 120_000);

  it('brings nothing of the engine, the server or the command', async ({ skip }) => {
    skip(isOffline, 'no registry here');
    expect((await readdir(at('program', 'node_modules', '@kikitori'))).sort()).toEqual([...CLIENT].sort());
    await expect(readdir(at('program', 'node_modules', 'kikitori'))).rejects.toThrow('ENOENT');
  });
});

describe('the command, installed from the tarballs', () => {
  it('says what it can do', async ({ skip }) => {
    skip(isOffline, 'no registry here');
    const { stdout } = await run('npx', ['--no-install', 'kikitori', '--help'], { cwd: at('command') });
    expect(stdout).toContain('transcribe');
  }, 60_000);

  it.skipIf(!hasModels)(
    'hears a file',
    async ({ skip }) => {
      skip(isOffline, 'no registry here');
      const { stdout } = await run(
        process.execPath,
        [
          at('command', 'node_modules', 'kikitori', 'bin', 'kikitori.js'),
          'transcribe',
          sample,
          '--model',
          'tiny',
        ],
        { cwd: at('command') },
      );
      expect(shareHeard('ferry.flac', stdout)).toBeGreaterThan(1 / 2);
    },
    120_000,
  );

  it.skipIf(!hasModels)(
    'serves its page, and a program with the installed client',
    async ({ skip }) => {
      skip(isOffline, 'no registry here');
      const server = command('serve', '--model', 'tiny', '--port', '0', '--log-level', 'warn');
      try {
        let out = '';
        for await (const text of server.stdout?.setEncoding('utf8').iterator({ destroyOnReturn: false }) ??
          []) {
          out += text;
          if (/is ready[\s\S]*http:\/\/127\.0\.0\.1:\d+\/health/.test(out)) break;
        }
        server.stdout?.resume();
        const url = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0] ?? '';
        expect(await (await fetch(url)).text()).toContain('<title>');

        const program = spawn(process.execPath, ['node.js', url, sample], { cwd: at('program') });
        let heard = '';
        let told = '';
        program.stdout.setEncoding('utf8').on('data', (text: string) => {
          heard += text;
        });
        program.stderr.setEncoding('utf8').on('data', (text: string) => {
          told += text;
        });
        const [code] = await once(program, 'close');
        expect(code, told).toBe(0);
        expect(shareHeard('ferry.flac', heard)).toBeGreaterThan(1 / 2);
        expect(JSON.parse(told)).toEqual({
          seen: ['delta', 'done', 'progress', 'utterance'],
          words: heard.trim().split(/\s+/).length,
        });
      } finally {
        server.kill();
        if (server.exitCode === null) await once(server, 'close');
      }
    },
    120_000,
  );
});
