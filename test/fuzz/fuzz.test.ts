/** Every parser that meets bytes from outside, attacked with damaged input. Longer, or one alone: `npm run fuzz`. */
import { describe, expect, it } from 'vitest';
import { attack } from './campaign.js';
import { TARGETS } from './targets/index.js';

const { FUZZ_TARGET: only = '', FUZZ_SEED, FUZZ_ATTACKS, FUZZ_MINUTES } = process.env;
/** The same inputs in every run of the tests; `npm run fuzz` takes others each time. */
const seed = Number(FUZZ_SEED ?? 1);
const minutes = FUZZ_MINUTES === undefined ? undefined : Number(FUZZ_MINUTES);
const targets = TARGETS.filter(({ name }) => only === '' || name === only);

describe(`with the seed ${seed}`, () => {
  it.each(targets.map((target) => [target.name, target] as const))(
    '%s answers anything with what it should be or one of its own errors',
    async (_name, target) => {
      const attacks = FUZZ_ATTACKS === undefined ? target.attacks : Number(FUZZ_ATTACKS);
      const report = await attack(target, { seed, attacks, minutes });
      if (minutes !== undefined) process.stdout.write(`${target.name}: ${JSON.stringify(report)}\n`);
      expect(report.attacks).toBeGreaterThan(0);
    },
    (minutes ?? 1) * 60_000 + 120_000,
  );

  it('knows the target that was asked for', () => {
    expect(targets).not.toHaveLength(0);
  });
});
