/** A client that connects again as soon as it was told an error. */
import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { QuickEnds } from '../../src/doors/quick-ends.js';
import { DOOR_LIMITS } from '../../src/limits.js';
import { append, commit, final, RealtimeClient, update } from '../realtime-client.js';
import { eventually, startTestServer, type TestServer } from '../test-server.js';

const QUICK = { durationMs: 10, words: 0, utterances: 0 };

describe('ends that come too soon', () => {
  const limits = { ...DOOR_LIMITS, quickEndsMax: 3, quickEndsPerSecond: 0.5, ratedNamesMax: 2 };

  it('hold their client up, for no longer than one of them, however many there were', () => {
    const clock = new ManualClock();
    const ends = new QuickEnds(limits, () => clock.nowMs());
    for (let i = 0; i < 2; i += 1) ends.note('a', QUICK);
    expect(ends.waitS('a')).toBe(0);
    for (let i = 0; i < 100; i += 1) ends.note('a', QUICK);
    expect([ends.waitS('a'), ends.waitS('b')]).toEqual([2, 0]);
    clock.advance(1_999);
    expect(ends.waitS('a')).toBe(1);
    clock.advance(1);
    expect(ends.waitS('a')).toBe(0);
    ends.note('a', QUICK);
    expect(ends.waitS('a')).toBe(2);
  });

  it('are those of sessions that were short and came to nothing; one that came to something clears its client', () => {
    const ends = new QuickEnds(limits, () => 0);
    for (let i = 0; i < 10; i += 1) ends.note('a', { ...QUICK, durationMs: 1_000 });
    expect(ends.waitS('a')).toBe(0);
    for (const good of [
      { ...QUICK, utterances: 1 },
      { ...QUICK, words: 1 },
    ]) {
      for (let i = 0; i < 3; i += 1) ends.note('a', QUICK);
      expect(ends.waitS('a')).toBe(2);
      ends.note('a', good);
      expect(ends.waitS('a')).toBe(0);
    }
  });

  it('are remembered of so many clients, and not at all where there is no bound', () => {
    const ends = new QuickEnds(limits, () => 0);
    for (const name of ['a', 'b', 'c']) for (let i = 0; i < 3; i += 1) ends.note(name, QUICK);
    expect(['a', 'b', 'c'].map((name) => ends.waitS(name))).toEqual([0, 2, 2]);
    const free = new QuickEnds({ ...limits, quickEndsMax: 0 }, () => 0);
    for (let i = 0; i < 100; i += 1) free.note('a', QUICK);
    expect(free.waitS('a')).toBe(0);
  });
});

describe('a client that reconnects for ever', () => {
  const LOOP = { 'user-agent': 'looping/1.0' };

  /** Opens a session, sends what is no event here, leaves, and is gone; answers what the handshake came to. */
  async function loop(test: TestServer, headers: Record<string, string> = LOOP): Promise<number> {
    try {
      const client = await RealtimeClient.connect(test.realtime, { headers });
      await client.send({ type: 'transcription_session.update' });
      await client.until('error');
      await client.connection.close();
      await eventually(() => test.server.sessionCount === 0);
      return 101;
    } catch (error) {
      return (error as { readonly httpStatus?: number }).httpStatus ?? 0;
    }
  }

  it('is slowed down, and told why; programs of another kind behind its address are not', async () => {
    const clock = new ManualClock();
    await using test = await startTestServer({ server: { clock } });
    const statuses: number[] = [];
    for (let i = 0; i < 50; i += 1) statuses.push(await loop(test));
    expect(statuses).toEqual([...Array(20).fill(101), ...Array(30).fill(429)]);
    await expect(RealtimeClient.connect(test.realtime, { headers: LOOP })).rejects.toMatchObject({
      httpStatus: 429,
      retryAfterMs: 1_000,
    });
    expect(await test.metric('kikitori_sessions_refused_total{reason="rate"}')).toBe(31);
    const other = await RealtimeClient.connect(test.realtime, { headers: { 'user-agent': 'other/1.0' } });
    await other.connection.close();
    const byFile = await fetch(`${test.url}/v1/models`, { headers: LOOP });
    expect(byFile.status).toBe(200);
    clock.advance(1_000);
    expect([await loop(test), await loop(test)]).toEqual([101, 429]);
  });

  it('costs its key, and nobody else’s behind the same address', async () => {
    const server = { apiKey: ['a', 'b'], clock: new ManualClock(), doorLimits: { quickEndsMax: 2 } };
    await using test = await startTestServer({ server });
    const statuses: number[] = [];
    for (const key of ['a', 'a', 'a', 'b']) {
      statuses.push(await loop(test, { ...LOOP, authorization: `Bearer ${key}` }));
    }
    expect(statuses).toEqual([101, 101, 429, 101]);
  });

  it('behind an address from which a hundred work does not hold them up', async () => {
    await using test = await startTestServer({ server: { clock: new ManualClock() } });
    for (let i = 0; i < 100; i += 1) {
      expect(await loop(test)).toBe(101);
      if (i % 10 !== 0) continue;
      const client = await RealtimeClient.connect(test.realtime, { headers: LOOP });
      await client.send(update('scripted'), commit, append(2000), final);
      await client.until('transcription.done');
      await client.connection.close();
      await eventually(() => test.server.sessionCount === 0);
    }
  });
});
