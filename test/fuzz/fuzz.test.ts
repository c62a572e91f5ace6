/** Every parser that meets bytes from outside, attacked with damaged input. Longer, or one alone: `npm run fuzz`. */
import { afterAll, describe, expect, it } from 'vitest';
import { attack } from './campaign.js';
import { grow, type SlowestInput } from './growth.js';
import { TARGETS } from './targets/index.js';

const { FUZZ_TARGET: only = '', FUZZ_SEED, FUZZ_ATTACKS, FUZZ_MINUTES } = process.env;
/** The same inputs in every run of the tests; `npm run fuzz` takes others each time. */
const seed = Number(FUZZ_SEED ?? 1);
const minutes = FUZZ_MINUTES === undefined ? undefined : Number(FUZZ_MINUTES);
const targets = TARGETS.filter(({ name }) => only === '' || name === only);
const named = (each: typeof TARGETS) => each.map((target) => [target.name, target] as const);
const timeoutMs = (minutes ?? 1) * 60_000 + 120_000;

describe(`with the seed ${seed}`, () => {
  it.each(named(targets))(
    '%s answers anything with what it should be or one of its own errors',
    async (_name, target) => {
      const attacks = FUZZ_ATTACKS === undefined ? target.attacks : Number(FUZZ_ATTACKS);
      const half = minutes === undefined || target.isOutside === true ? minutes : minutes / 2;
      const report = await attack(target, { seed, attacks, minutes: half });
      if (minutes !== undefined) process.stdout.write(`${target.name}: ${JSON.stringify(report)}\n`);
      expect(report.attacks).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  it('knows the target that was asked for', () => {
    expect(targets).not.toHaveLength(0);
  });
});

/** Measured in time, of the processor though, so this is no part of the tests. */
function measureGrowth(givenMinutes: number): void {
  const slowest: SlowestInput[] = [];

  it.each(named(targets.filter(({ isOutside }) => isOutside !== true)))(
    '%s takes time that grows with its input and no faster',
    async (_name, target) => {
      const found = await grow(target, { seed, minutes: givenMinutes / 2 });
      slowest.push(found);
      expect(found.bytes).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  afterAll(() => {
    slowest.sort((a, b) => b.nsPerByte - a.nsPerByte);
    const rows = slowest.map(
      ({ target, nsPerByte, bytes, seed: its }) =>
        `${target.padEnd(20)} ${String(nsPerByte).padStart(6)} ns/byte  (${bytes} bytes, seed ${its})`,
    );
    process.stdout.write(`The slowest input of each, for its length:\n${rows.join('\n')}\n`);
  });
}

if (minutes !== undefined) describe('at growing sizes', () => measureGrowth(minutes));
