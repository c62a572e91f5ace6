import { afterAll, beforeAll, describe } from 'vitest';
import type { Setting } from './conformance/check.js';
import { registerChecks } from './conformance.js';
import { openStandIn } from './stand-in-world.js';

const SETTINGS: Readonly<Record<'0.17.1' | '0.31' | '0.32', readonly Setting[]>> = {
  '0.17.1': ['roomy', 'tight', 'locked'],
  '0.31': ['roomy', 'tight'],
  '0.32': ['roomy', 'tight'],
};

describe.each(['0.17.1', '0.31', '0.32'] as const)('the stand-in of vLLM %s', (age) => {
  describe.each(SETTINGS[age])('%s', (setting) => {
    let world: Awaited<ReturnType<typeof openStandIn>>;
    beforeAll(async () => {
      world = await openStandIn(age, setting);
    });
    afterAll(() => world.close());

    registerChecks(age, setting, () => world, { timeoutMs: 30_000 });
  });
});
