import { describe, expect, it } from 'vitest';
import { testConnection } from '../src/conformance/connection.js';
import { FaultInjector } from '../src/faulty.js';
import { createMemoryPair } from '../src/memory.js';
import { EVERYTHING, faultyWorld, memoryWorld } from './worlds.js';

testConnection(
  'the faulty wrapper without a plan',
  { traits: EVERYTHING, createWorld: async () => faultyWorld(memoryWorld()) },
  {
    describe,
    it,
    expect,
  },
);

describe('the fault injector', () => {
  it('fails exactly the planned operation and cuts the line', async () => {
    const injector = new FaultInjector({ failAt: 2 });
    const { near, far } = createMemoryPair();
    const faulty = injector.wrap(near);
    await faulty.send('one');
    await expect(faulty.send('two')).rejects.toMatchObject({ code: 'injected' });
    expect(injector.hasFailed).toBe(true);
    await expect(faulty.send('three')).rejects.toMatchObject({ code: 'closed' });
    const received: unknown[] = [];
    await expect(
      (async () => {
        for await (const message of far.messages) received.push(message);
      })(),
    ).rejects.toMatchObject({ code: 'connection_lost' });
    expect(received).toEqual(['one']);
  });

  it('counts connects, sends, receives and closes in the order in which they begin', async () => {
    const kinds: string[] = [];
    const injector = new FaultInjector({ before: ({ kind, index }) => void kinds.push(`${index} ${kind}`) });
    const { near, far } = createMemoryPair();
    const faulty = await injector.connect(async () => near)({ url: 'memory://x/' });
    await faulty.send('one');
    await far.send('two');
    const iterator = faulty.messages[Symbol.asyncIterator]();
    await iterator.next();
    await faulty.close();
    expect(kinds).toEqual(['1 connect', '2 send', '3 receive', '4 close']);
    expect(injector.operationCount).toBe(4);
  });

  it('keeps the order of sends that are delayed by different times', async () => {
    const releases: (() => void)[] = [];
    const injector = new FaultInjector({
      before: () => new Promise<void>((resolve) => void releases.push(resolve)),
    });
    const { near, far } = createMemoryPair();
    const faulty = injector.wrap(near);
    const sends = [faulty.send('first'), faulty.send('second')];
    const iterator = far.messages[Symbol.asyncIterator]();
    for (let count = 0; count < 2; count += 1) {
      while (releases.length === 0) await Promise.resolve();
      releases.shift()?.();
    }
    await Promise.all(sends);
    expect([(await iterator.next()).value, (await iterator.next()).value]).toEqual(['first', 'second']);
  });

  it('can make an operation hang until it is aborted', async () => {
    const injector = new FaultInjector({ failAt: 1, failure: 'hang' });
    const { near } = createMemoryPair();
    const controller = new AbortController();
    const sending = injector.wrap(near).send('never', { signal: controller.signal });
    const reason = new Error('bored');
    controller.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });
});
