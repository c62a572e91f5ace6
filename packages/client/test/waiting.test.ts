/** A server that is not there yet, a caller who says nothing for long, and a server that has not shown what it is. */
import { ManualClock } from '@kikitori/core/manual-clock';
import { type Connect, createMemoryPair, TransportError } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { VllmStandIn } from '../../../test/vllm/stand-in.js';
import { connect, type SessionEvent } from '../src/index.js';
import { fakeServer } from './fake-server.js';
import { isSettled, turns } from './turns.js';

/** Nobody is there for so many tries. */
function away(tries: number, behind: Connect): Connect {
  let left = tries;
  return async (options) => {
    left -= 1;
    if (left >= 0) throw new TransportError('connect_failed', 'Nobody is there.');
    return await behind(options);
  };
}

/** Silence: the stand-in says its words whatever it hears. */
const seconds = (count: number): Int16Array => new Int16Array(count * 16_000);

describe('a server that is not there yet', () => {
  it('is tried again as long as the caller waits, who is told', async () => {
    const told: string[] = [];
    const session = await connect({
      connect: away(3, fakeServer().connect),
      waitMs: 60_000,
      onWait: ({ code }) => told.push(code),
      clock: new ManualClock(),
      random: () => 0,
    });
    expect(told).toEqual(['connect_failed', 'connect_failed', 'connect_failed']);
    await session.close();
  });

  it('is given up when the time is over', async () => {
    const clock = new ManualClock();
    const connecting = connect({
      connect: away(Number.POSITIVE_INFINITY, fakeServer().connect),
      waitMs: 5_000,
      clock,
      random: () => 1,
    });
    const failed = expect(connecting).rejects.toMatchObject({ code: 'connect_failed' });
    for (let second = 0; second < 10; second += 1) {
      await turns(20);
      clock.advance(1_000);
    }
    await failed;
  });

  it('is tried once where nobody waits', async () => {
    const connecting = connect({ connect: away(1, fakeServer().connect), random: () => 0 });
    await expect(connecting).rejects.toMatchObject({ code: 'connect_failed' });
  });
});

describe('a caller who says nothing for long', () => {
  it('ends the turn of a vLLM that would go deaf for it, and nothing is missing', async () => {
    const clock = new ManualClock();
    const vllm = new VllmStandIn({ age: '0.17.1', clock });
    const events: SessionEvent[] = [];
    const session = await connect({ connect: served(vllm), words: true, clock });
    const reading = (async () => {
      for await (const event of session) events.push(event);
    })();
    await session.send(seconds(2));
    await turns(50);
    expect(events.some(({ type }) => type === 'utterance')).toBe(false);
    clock.advance(20_000);
    await turns(50);
    expect(events.some(({ type }) => type === 'utterance')).toBe(true);
    clock.advance(100_000);
    await session.send(seconds(2));
    const { utterances } = await session.finish();
    await reading;
    expect(utterances).toHaveLength(2);
  });
});

describe('a server that has not shown what it is', () => {
  it('gets three seconds of a file, until it is known what its model bears', async () => {
    const clock = new ManualClock();
    const vllm = new VllmStandIn({ age: '0.31', maxModelLen: 128 });
    let tell: (tokens: number) => void = () => undefined;
    const maxModelLen = (): Promise<number> =>
      new Promise((resolve) => {
        tell = resolve;
      });
    const session = await connect({ connect: served(vllm), words: true, maxModelLen, clock });
    const sending = session.send(seconds(20));
    expect(await isSettled(sending)).toBe(false);
    expect(vllm.isHealthy).toBe(true);
    tell(128);
    await sending;
    await session.finish();
    expect(vllm.isHealthy).toBe(true);
    expect(session.continuity).toMatchObject({ reconnects: 0, gaps: [] });
    expect(session.continuity.rollovers).toBeGreaterThan(2);
  });

  it('is not waited for longer than a little where it says nothing before the end', async () => {
    const clock = new ManualClock();
    const maxModelLen = (): Promise<undefined> => Promise.resolve(undefined);
    const session = await connect({ connect: fakeServer({ isLate: true }).connect, maxModelLen, clock });
    const sending = session.send(seconds(20));
    expect(await isSettled(sending)).toBe(false);
    clock.advance(3_000);
    await sending;
    await session.finish();
  });
});

function served(vllm: VllmStandIn): Connect {
  return async () => {
    const { near, far } = createMemoryPair();
    void vllm.serve(far);
    return near;
  };
}
