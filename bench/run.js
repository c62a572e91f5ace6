/** Every bench of docs/benchmarks.md, one after the other. Takes about an hour and a half; leave the machine alone. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const BENCHES = [
  ['audio.js'],
  ['lag.js', '--model', 'base', '--continuous', '600'],
  ['lag.js', '--model', 'tiny', '--speakers', '1,4,8,10'],
  ['accuracy.js'],
  ['coverage.js', '--anew'],
  ['coverage.js', '--models', 'tiny', '--every', '8'],
  ['languages.js'],
  ['bridge.js'],
  ['relay.js'],
  ['sagemaker.js'],
  ['artefacts.js'],
  ['page.js'],
  ['microphone.js', '--seconds', '90'],
  ['uploads.js'],
  ['soak.js'],
  ['long-session.js'],
];

for (const [file, ...args] of BENCHES) {
  process.stdout.write(`\n## ${[file, ...args].join(' ')}\n\n`);
  const { status } = spawnSync(process.execPath, [join(here, file), ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
