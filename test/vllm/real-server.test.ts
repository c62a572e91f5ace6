/** The real vLLM, and what it is held to together with the stand-in. Some three minutes for each version. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerChecks } from './conformance.js';
import { VLLM_VERSIONS } from './homes.js';
import { whyNoVllm } from './real-server.js';
import { openReal, type RealWorld } from './real-world.js';
import type { VllmAge } from './stand-in.js';

/** A guard against what hangs: a busy machine takes several times as long as an idle one, and another server may have to end first. */
const START_MS_MAX = 900_000;
const CHECK_MS_MAX = 300_000;

describe.each(VLLM_VERSIONS)('vLLM %s', (version) => {
  const why = whyNoVllm(version);
  const age: VllmAge = version.startsWith('0.31.') ? '0.31' : '0.32';

  describe.skipIf(why !== undefined).each(['roomy', 'tight'] as const)('%s', (setting) => {
    let world: RealWorld;
    beforeAll(async () => {
      world = await openReal(version, setting);
    }, START_MS_MAX);
    afterAll(() => world?.close(), START_MS_MAX);

    registerChecks(age, setting, () => world, { timeoutMs: CHECK_MS_MAX });

    it.runIf(age === '0.31' && setting === 'roomy')(
      'leaves engine and worker behind where it was killed, until its group is ended',
      { timeout: CHECK_MS_MAX },
      async () => {
        expect(world.processes().some((title) => title.includes('EngineCore'))).toBe(true);
        await world.close();
        expect(world.processes()).toStrictEqual([]);
      },
    );
  });
});
