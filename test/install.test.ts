/**
 * What happens where somebody installs our packages with scripts on: npm runs the scripts of two packages as it does
 * after an installation, in a folder of its own, with a network that only takes notes.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLock } from '../third-party/src/notices.js';
import { installedWith } from '../third-party/src/shipped.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const engine = join(root, 'packages', 'engine-local');

/** Whoever wants to reach out is noted, and fails as without a network. */
const NO_NETWORK = `
  const { appendFileSync } = require('node:fs');
  const { Socket } = require('node:net');
  const refuse = (how) => (...words) => {
    appendFileSync(process.env.NOTES, how + '\\n');
    throw new Error('there is no network here');
  };
  require('node:dns').lookup = refuse('looked a name up');
  Socket.prototype.connect = refuse('connected');
  require('node:https').get = refuse('asked over https');
`;

let home = '';
const at = (...path: string[]): string => join(home, ...path);

beforeEach(async () => {
  // Inside of the checkout, so that what the script loads is found in its node_modules and nothing is downloaded.
  await mkdir(join(root, '.cache'), { recursive: true });
  home = await mkdtemp(join(root, '.cache', 'install-'));
  await writeFile(at('package.json'), '{"private": true}');
  await writeFile(at('no-network.cjs'), NO_NETWORK);
  await writeFile(at('notes'), '');
  const runtime = join(root, 'node_modules', 'onnxruntime-node');
  const ours = at('node_modules', '@kikitori', 'engine-local');
  for (const file of ['package.json', 'leave-out-graphics.js'])
    await cp(join(engine, file), join(ours, file));
  for (const file of ['package.json', 'script']) {
    await cp(join(runtime, file), at('node_modules', 'onnxruntime-node', file), { recursive: true });
  }
  await mkdir(at('node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64'), { recursive: true });
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

/** The scripts of everything that lies there, in npm's order. @returns what reached out */
async function runScripts(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const allow = { npm_config_ignore_scripts: 'false', npm_config_dangerously_allow_all_scripts: 'true' };
  await run('npm', ['rebuild', '--offline', '--no-update-notifier'], {
    cwd: home,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      ...allow,
      ...env,
      NOTES: at('notes'),
      NODE_OPTIONS: `--require ${at('no-network.cjs')}`,
    },
  }).catch(() => {});
  return readFile(at('notes'), 'utf8');
}

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('installing with scripts on', () => {
  it('fetches no libraries for graphics cards, and does for whoever asks afterwards', async () => {
    expect(await runScripts()).toBe('');
    expect(await runScripts({ ONNXRUNTIME_NODE_INSTALL: 'true' })).toContain('asked over https');
  }, 120_000);

  it('leaves it to whoever has decided otherwise', async () => {
    expect(await runScripts({ ONNXRUNTIME_NODE_INSTALL: 'cuda12' })).toContain('asked over https');
  }, 120_000);
});

describe('a package that users get', () => {
  it('runs no script when it is installed, but one whose script was looked at', () => {
    const lock = readLock();
    const { parts } = installedWith(lock, 'packages/cli');
    const scripted = parts.filter(({ location }) => lock[location]?.hasInstallScript === true);
    expect(scripted.map(({ name }) => name)).toEqual(['onnxruntime-node']);
  });
});
