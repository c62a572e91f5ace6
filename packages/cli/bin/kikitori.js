#!/usr/bin/env node
// In a checkout the commands are built on first use; a published package always brings its `dist`.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What may still be open (a pipe, a thread that ends) gets this long; then the process ends anyway. */
const EXIT_MS_MAX = 2_000;

const here = dirname(fileURLToPath(import.meta.url));
const entry = join(here, '..', 'dist', 'main.js');
const root = join(here, '..', '..', '..');

if (!existsSync(entry) && existsSync(join(root, 'tsconfig.base.json'))) {
  process.stderr.write('kikitori: building the checkout once…\n');
  const { spawnSync } = await import('node:child_process');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const built = spawnSync(process.execPath, [compiler, '-b'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (built.status !== 0) {
    process.stderr.write('kikitori: the build failed; run "npm ci" and "npm run build" to see why.\n');
    process.exit(1);
  }
}
const { main } = await import(pathToFileURL(entry).href);
process.exitCode = await main(process.argv.slice(2));
setTimeout(() => process.exit(), EXIT_MS_MAX).unref();
