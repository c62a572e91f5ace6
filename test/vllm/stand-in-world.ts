/** The stand-in of vLLM as the conformance meets it: over real sockets, in a time that passes quickly. */
import { type Clock, sleep, systemClock } from '@kikitori/core';
import { firstSamples, type Setting, type World } from './conformance/check.js';
import { audio, COMMIT, RawClient } from './raw-client.js';
import { type VllmAge, VllmStandIn } from './stand-in.js';
import { serveStandIn } from './stand-in-host.js';

const HASTE = 50;
/** Of the machine's time two milliseconds, so that things cross as they do with the real one. */
const STEP_MS = 100;
const KEY = 'the key of a test';
const MODEL = 'a model';

/** A second of the machine's is most of a minute. */
const hastyClock: Clock = {
  nowMs: () => systemClock.nowMs() * HASTE,
  unixMs: () => systemClock.unixMs(),
  after: (delayMs, run) => systemClock.after(delayMs / HASTE, run),
};

/** Starts one. `close` ends it. */
export async function openStandIn(
  age: VllmAge,
  setting: Setting,
): Promise<World & { readonly close: () => Promise<void> }> {
  const traits =
    setting === 'tight' ? { delayMs: 960, maxModelLen: 128 } : { delayMs: 480, maxModelLen: 2_048 };
  const isLocked = setting === 'locked' || (setting === 'tight' && age !== '0.17.1');
  const key = isLocked ? KEY : undefined;
  const vllm = new VllmStandIn({
    ...traits,
    age,
    clock: hastyClock,
    stepMs: STEP_MS,
    models: [MODEL],
    apiKeys: key === undefined ? [] : [key],
  });
  const ended = new Promise<number>((resolve) => {
    vllm.onGone(() => resolve(0));
  });
  const served = await serveStandIn(vllm);
  const { url, httpUrl } = served;
  const shown = { ...traits, age, isReal: false, setting, url, httpUrl, model: MODEL, key };
  const acts = {
    killEngine: () => vllm.killEngine(),
    killServer: () => vllm.kill(),
    terminate: () => void vllm.stop(),
  };
  const aMinuteLater = (): Promise<void> => sleep(hastyClock, 61_000);
  const resting = setting === 'locked' ? undefined : await openResting(shown);
  return {
    ...shown,
    ...acts,
    ended,
    aMinuteLater,
    get resting(): RawClient {
      if (resting === undefined) throw new Error('Nobody rests in a server that lets nobody in.');
      return resting;
    },
    close: () => served.close(),
  };
}

/** A session that has had audio for one delta. */
export async function openResting(
  world: Pick<World, 'url' | 'key' | 'model' | 'delayMs'>,
): Promise<RawClient> {
  const client = await RawClient.open(world.url, { key: world.key });
  await client.next();
  client.send({ type: 'session.update', model: world.model }, COMMIT, audio(firstSamples(world)));
  await client.deltas(1);
  return client;
}
