#!/usr/bin/env node
/**
 * Brings the software of others that `test/aws` asks about our template, policies and calls: Python packages from PyPI, pinned in
 * `tools/requirements.txt`, in a virtual environment of their own in `.cache/aws-tools`. Where that cannot be, those tests skip.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const wanted = join(import.meta.dirname, 'tools', 'requirements.txt');
const home = join(import.meta.dirname, '..', '..', '.cache', 'aws-tools');
/** What stands in the folder when everything in it is whole. */
const mark = join(home, 'installed.txt');
/** Some 70 packages, 150 MB; a minute where PyPI is near. Then: no tools. */
const INSTALL_MS_MAX = 600_000;

const requirements = await readFile(wanted, 'utf8');
if ((await readFile(mark, 'utf8').catch(() => '')) === requirements) process.exit(0);
try {
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  await run('python3', ['-m', 'venv', home], { timeout: INSTALL_MS_MAX });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', wanted];
  await run(join(home, 'bin', 'python'), pip, { timeout: INSTALL_MS_MAX });
  await writeFile(mark, requirements);
} catch (error) {
  await rm(home, { recursive: true, force: true });
  const words = String(error.stderr || error.message)
    .trim()
    .split('\n')
    .at(-1);
  console.error(`test/aws: no tools (python3 with venv, and PyPI, are needed): ${words}`);
}
