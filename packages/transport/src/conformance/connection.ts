import { DELIVERY_CASES } from './delivery-cases.js';
import { ENDING_CASES } from './ending-cases.js';
import { type ConformanceTraits, type ConformanceWorld, type TestFramework, turnsUntil } from './world.js';

export type { ConformancePair, ConformanceTraits, ConformanceWorld, TestFramework } from './world.js';

/** A transport to be held against the suite. */
export interface ConformanceSubject {
  readonly traits: ConformanceTraits;
  /** Called once for each case. */
  createWorld(): Promise<ConformanceWorld>;
}

const SETTLE_TURNS = 2000;

/**
 * Registers the suite that every transport passes: what arrives and in which order, who waits for whom, and how
 * connections end. Each case runs in a world of its own and must leave nothing behind in it.
 *
 * The test framework is passed in, so that this package depends on none.
 */
export function testConnection(
  name: string,
  { traits, createWorld }: ConformanceSubject,
  { describe, it, expect }: TestFramework,
): void {
  describe(`${name} is a Connection`, () => {
    for (const { name: caseName, needs, run } of [...DELIVERY_CASES, ...ENDING_CASES]) {
      const register = needs === undefined || traits[needs] ? it : it.skip;
      register(caseName, async () => {
        const world = await createWorld();
        try {
          await run(world, expect);
        } finally {
          await world.dispose();
        }
        await turnsUntil(() => world.leftovers() === 0, SETTLE_TURNS);
        expect(world.leftovers()).toBe(0);
      });
    }
  });
}
