/** The lifecycle, broken off everywhere and in bad weather: it always ends right, or with a clear error, and nothing stays unlisted. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEPLOY_ERRORS, DeployError } from '../../src/errors.js';
import { scaleEndpoint } from '../../src/lifecycle/scale.js';
import type { EndpointSettings } from '../../src/settings/settings.js';
import { FAIR, STORMY, type Weather } from '../fake-aws/account.js';
import { MOONSHINE, Rehearsal, VLLM } from '../fake-aws/rehearsal.js';
import { seeded, VirtualTime } from '../fake-aws/virtual-time.js';

beforeAll(() => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const INTERRUPTED = new Error('Ctrl-C');

/** A signal that is given when the Nth call from now on arrives at AWS. */
function interruptAt(rehearsal: Rehearsal, nth: number): AbortSignal {
  const stop = new AbortController();
  let calls = 0;
  rehearsal.fake.onCall = () => {
    calls += 1;
    if (calls === nth) stop.abort(INTERRUPTED);
  };
  return stop.signal;
}

async function withRehearsal(seed: number, work: (rehearsal: Rehearsal) => Promise<void>): Promise<void> {
  // Sockets that are cut, and requests that are broken off in them, are real in every tenth.
  const wire = seed % 10 === 0 ? 'sockets' : 'in process';
  const rehearsal = await Rehearsal.open({ time: new VirtualTime({ pace: 0.004 }), seed, wire });
  try {
    await work(rehearsal);
  } finally {
    await rehearsal.close();
  }
}

/** Runs something that may be broken off: how it ended. Anything but our own errors is a failure of the test. */
async function ending(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error === INTERRUPTED) return 'interrupted';
    if (!(error instanceof DeployError)) throw error;
    expect(Object.keys(DEPLOY_ERRORS)).toContain(error.code);
    expect(error.message).toMatch(/^[A-Z].*[.)]$/);
    return error.code;
  }
}

describe('broken off at every call', () => {
  it('deploy carries on, whatever was half done', async () => {
    for (let nth = 1, isOver = false; !isOver; nth += 1) {
      await withRehearsal(nth, async (rehearsal) => {
        isOver = (await ending(rehearsal.deploy(MOONSHINE, interruptAt(rehearsal, nth)))) === 'done';
        rehearsal.fake.onCall = undefined;
        await rehearsal.deploy(MOONSHINE);
        expect(await rehearsal.deploy(MOONSHINE), `broken off at call ${nth}`).toMatchObject({
          result: 'unchanged',
        });
        expect(rehearsal.fake.account.models.size).toBe(1);
        expect(rehearsal.fake.cloudFormation.changeSets.every(({ isExecuted }) => isExecuted)).toBe(true);
        await rehearsal.destroy(MOONSHINE);
        expect(rehearsal.fake.account.inventory(), `broken off at call ${nth}`).toEqual([]);
      });
    }
  }, 600_000);

  it('a deploy that was broken off can be destroyed as it is', async () => {
    for (let nth = 1, isOver = false; !isOver; nth += 1) {
      await withRehearsal(nth, async (rehearsal) => {
        isOver = (await ending(rehearsal.deploy(VLLM, interruptAt(rehearsal, nth)))) === 'done';
        rehearsal.fake.onCall = undefined;
        await rehearsal.destroy(VLLM);
        expect(rehearsal.fake.account.inventory(), `broken off at call ${nth}`).toEqual([]);
      });
    }
  }, 600_000);

  it('an update and a destroy carry on too', async () => {
    for (let nth = 1, isOver = false; !isOver; nth += 1) {
      await withRehearsal(nth, async (rehearsal) => {
        await rehearsal.deploy(VLLM);
        rehearsal.tag = '2';
        const update = await ending(rehearsal.deploy(VLLM, interruptAt(rehearsal, nth)));
        const destroy = await ending(rehearsal.destroy(VLLM, interruptAt(rehearsal, nth)));
        isOver = update === 'done' && destroy === 'done';
        rehearsal.fake.onCall = undefined;
        await rehearsal.deploy(VLLM);
        expect(rehearsal.fake.account.models.size, `broken off at call ${nth}`).toBe(1);
        await rehearsal.destroy(VLLM);
        expect(rehearsal.fake.account.inventory(), `broken off at call ${nth}`).toEqual([]);
      });
    }
  }, 600_000);
});

/** One random thing that somebody does. */
function step(rehearsal: Rehearsal, random: () => number): Promise<unknown> {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
  const settings: EndpointSettings = {
    ...VLLM,
    ...pick([{}, { instancesMax: 2 }, { vllm: { maxNumSeqs: 8 } }, { instanceType: 'ml.g6.12xlarge' }]),
  };
  const signal = random() < 0.5 ? interruptAt(rehearsal, 1 + Math.floor(random() * 40)) : undefined;
  if (signal === undefined) rehearsal.fake.onCall = undefined;
  rehearsal.tag = pick(['1', '2']);
  const kind = random();
  if (kind < 0.65) return rehearsal.deploy(settings, signal);
  if (kind < 0.85) return rehearsal.destroy(VLLM, signal);
  return rehearsal.run(
    (aws, options) => scaleEndpoint(aws, 'demo', { instancesMax: 1 + Math.floor(random() * 3) }, options),
    signal,
  );
}

const SEEDS = Number(process.env['KIKITORI_SEEDS'] ?? 40);

describe('bad weather', () => {
  it(`ends right or with a clear error, and leaves nothing unlisted (seeds 1 to ${SEEDS})`, async () => {
    const endings = new Map<string, number>();
    const struck = new Set<keyof Weather>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      await withRehearsal(seed, async (rehearsal) => {
        const { account } = rehearsal.fake;
        const random = seeded(seed * 7_919);
        account.policy = (await rehearsal.prepare(VLLM)).plan.policy;
        account.weather = STORMY;
        for (let steps = 1 + Math.floor(random() * 4); steps > 0; steps -= 1) {
          const how = await ending(step(rehearsal, random));
          endings.set(how, (endings.get(how) ?? 0) + 1);
        }
        account.weather = FAIR;
        for (const kind of account.struck) struck.add(kind);
        rehearsal.fake.onCall = undefined;
        rehearsal.tag = '1';
        await rehearsal.deploy(VLLM);
        expect(account.endpoints.get('demo')?.status, `seed ${seed}`).toBe('InService');
        expect([account.models.size, account.configs.size, account.roles.size], `seed ${seed}`).toEqual([
          1, 1, 1,
        ]);
        await rehearsal.destroy(VLLM);
        expect(account.inventory(), `seed ${seed}`).toEqual([]);
        expect(account.denied, `seed ${seed}`).toEqual([]);
      });
    }
    // The storm did what it is for: all of these happened.
    expect([...struck].sort()).toEqual(Object.keys(STORMY).sort());
    expect([...endings.keys()]).toEqual(expect.arrayContaining(['done', 'interrupted', 'endpoint_failed']));
  }, 600_000);
});
