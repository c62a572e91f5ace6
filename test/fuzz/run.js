/** `npm run fuzz [-- TARGET] [--minutes N] [--seed N] [--attacks N]`: one minute a target, from a fresh seed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, attacks: { type: 'string' } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const minutes = values.minutes ?? (values.attacks === undefined ? '1' : undefined);
process.stdout.write(`Seed ${seed}.\n`);
const { status } = spawnSync(
  process.execPath,
  [
    fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url)),
    'run',
    'test/fuzz/',
    '--reporter=verbose',
  ],
  {
    stdio: 'inherit',
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    env: {
      ...process.env,
      FUZZ_SEED: seed,
      ...(positionals[0] === undefined ? {} : { FUZZ_TARGET: positionals[0] }),
      ...(minutes === undefined ? {} : { FUZZ_MINUTES: minutes }),
      ...(values.attacks === undefined ? {} : { FUZZ_ATTACKS: values.attacks }),
    },
  },
);
process.exitCode = status ?? 1;
