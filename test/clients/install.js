#!/usr/bin/env node
/**
 * Brings clients of others for `test/clients`: LiveKit's agents from npm, and those in Python from PyPI, each with its version. Half a
 * minute and 900 MB where both are near. What cannot be had is told and left out: its tests are skipped then.
 *
 *     node test/clients/install.js
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeClientsHome, pythonHomes, pythonOf } from './homes.js';

const run = promisify(execFile);
const INSTALL_MS_MAX = 300_000;
const AGENTS = '1.9.0';
const NODE_CLIENTS = [
  ...['agents', 'agents-plugin-openai', 'agents-plugin-mistralai', 'agents-plugin-deepgram'],
  'agents-plugin-silero',
].map((name) => `@livekit/${name}@${AGENTS}`);
/** pip alone takes several times as long. */
const INSTALLER = 'uv==0.13.9';
const PYTHON_CLIENTS = {
  sdks: ['openai[realtime]==3.57.0', 'mistralai[realtime]==3.7.0'],
  pipecat: ['pipecat-ai[openai,mistral,deepgram,websocket]==1.14.0'],
};
/** Lies in a folder once everything else does. */
const WHOLE = 'whole.txt';

await install(nodeClientsHome, NODE_CLIENTS, async () => {
  await mkdir(nodeClientsHome, { recursive: true });
  await writeFile(join(nodeClientsHome, 'package.json'), '{"type":"module","private":true}\n');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, ...NODE_CLIENTS], { cwd: nodeClientsHome, timeout: INSTALL_MS_MAX });
});
for (const [name, clients] of Object.entries(PYTHON_CLIENTS)) {
  const home = pythonHomes[name];
  await install(home, clients, async () => {
    await run('python3', ['-m', 'venv', home], { timeout: INSTALL_MS_MAX });
    const python = pythonOf(home);
    await run(python, ['-m', 'pip', 'install', '-q', INSTALLER], { timeout: INSTALL_MS_MAX });
    const uv = ['-m', 'uv', 'pip', 'install', '-q', '--python', python];
    await run(python, [...uv, ...clients], { timeout: INSTALL_MS_MAX });
  });
}

/** Once for each list. */
async function install(home, wanted, bring) {
  const list = `${wanted.join('\n')}\n`;
  const mark = join(home, WHOLE);
  if ((await readFile(mark, 'utf8').catch(() => '')) === list) return;
  try {
    await rm(home, { recursive: true, force: true });
    await bring();
    await writeFile(mark, list);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    console.error(
      `test/clients: left out, since it could not be installed: ${wanted.join(' ')}\n${error.message}`,
    );
  }
}
