#!/usr/bin/env node
/**
 * Brings clients of others for `test/clients`: LiveKit's agents from npm, and those in Python from PyPI, each with its version. A
 * minute and 1.5 GB where both are near. AWS's client of SageMaker's stream wants Python 3.12 or newer. What cannot be had is told and left out: its tests are skipped then.
 *
 *     node test/clients/install.js
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
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
const newPython = await pythonFrom312();
const PIPECAT = 'openai,mistral,deepgram,websocket';
const PYTHON_CLIENTS = {
  sdks: {
    python: 'python3',
    clients: [
      ...['openai[realtime]==3.57.0', 'mistralai[realtime]==3.7.0'],
      ...['deepgram-sdk==7.17.0', 'assemblyai==1.8.2', 'wyoming==1.10.2'],
    ],
  },
  livekit: {
    python: 'python3',
    clients: ['livekit-agents[openai,mistralai,deepgram,assemblyai,silero]==1.8.9'],
  },
  pipecat:
    newPython === undefined
      ? { python: 'python3', clients: [`pipecat-ai[${PIPECAT}]==1.14.0`] }
      : { python: newPython, clients: [`pipecat-ai[${PIPECAT},sagemaker]==1.14.0`] },
  // Not with pipecat's: it wants a newer version of AWS's client than that one takes.
  ...(newPython === undefined
    ? {}
    : {
        sagemaker: {
          python: newPython,
          clients: [
            ...['deepgram-sagemaker==0.4.0', 'deepgram-sdk==7.17.0'],
            'aws-sdk-sagemaker-runtime-http2[awscrt]==0.11.0',
          ],
        },
      }),
};
/** Lies in a folder once everything else does. */
const WHOLE = 'whole.txt';

await install(nodeClientsHome, NODE_CLIENTS, async () => {
  await mkdir(nodeClientsHome, { recursive: true });
  await writeFile(join(nodeClientsHome, 'package.json'), '{"type":"module","private":true}\n');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, ...NODE_CLIENTS], { cwd: nodeClientsHome, timeout: INSTALL_MS_MAX });
});
for (const [name, { python: base, clients }] of Object.entries(PYTHON_CLIENTS)) {
  const home = pythonHomes[name];
  await install(home, clients, async () => {
    await run(base, ['-m', 'venv', home], { timeout: INSTALL_MS_MAX });
    const python = pythonOf(home);
    await run(python, ['-m', 'pip', 'install', '-q', INSTALLER], { timeout: INSTALL_MS_MAX });
    const uv = ['-m', 'uv', 'pip', 'install', '-q', '--compile-bytecode', '--python', python];
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

/** A Python of 3.12 or newer, on the path or where pyenv keeps them. */
async function pythonFrom312() {
  const versions = join(process.env.PYENV_ROOT || join(homedir(), '.pyenv'), 'versions');
  const kept = await readdir(versions).catch(() => []);
  const candidates = [
    ...['python3', 'python3.12', 'python3.13'],
    ...kept.filter((name) => /^3\.1[23]\./.test(name)).map((name) => join(versions, name, 'bin', 'python3')),
  ];
  const check = 'import ensurepip, sys; sys.exit(sys.version_info < (3, 12))';
  for (const candidate of candidates) {
    const isGood = await run(candidate, ['-c', check], { timeout: INSTALL_MS_MAX }).then(
      () => true,
      () => false,
    );
    if (isGood) return candidate;
  }
  console.error('test/clients: no Python 3.12 or newer; clients of SageMaker are left out');
  return undefined;
}
