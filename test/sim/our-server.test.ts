import { describe, expect, it } from 'vitest';
import { firstFlaw } from './first-flaw.js';
import { makeSchedule } from './schedule.js';
import { simulate } from './simulate.js';

describe('whatever breaks between the microphone and our server', () => {
  it('the transcript is the one that nothing disturbed', { timeout: 300_000 }, async () => {
    const { count, flaw, reconnects } = await firstFlaw(500, { kind: 'ours' });
    expect(flaw).toBeUndefined();
    expect(reconnects).toBeGreaterThan(count / 2);
  });

  it('nothing is lost or doubled where one connection takes over from another', {
    timeout: 300_000,
  }, async () => {
    const { count, flaw, reconnects, handovers } = await firstFlaw(100, {
      kind: 'ours',
      handoversOnly: true,
    });
    expect(flaw).toBeUndefined();
    expect(reconnects).toBe(0);
    expect(handovers).toBeGreaterThan(count);
  });

  it('a client that does not replay fails', { timeout: 60_000 }, async () => {
    const { flaw } = await firstFlaw(50, { kind: 'ours' }, { isLasting: false });
    expect(flaw).toMatch(/^seed \d+\n/);
  });

  it('two hours go over five connections of half an hour', { timeout: 300_000 }, async () => {
    const calm = makeSchedule(1, { kind: 'ours', handoversOnly: true });
    const twoHours = { ...calm, feed: 'live', chunkMs: 240, lengthMs: 7_200_000, delayMsMax: 0 } as const;
    const hurried = { ...twoHours, realTimeFactor: 0, sessionMsMax: 1_800_000, endsShare: 0, isEarly: false };
    const { flaws, handovers } = await simulate(hurried);
    expect(flaws).toEqual([]);
    expect(handovers).toBe(4);
  });

  it('a line that is dead and does not say so is noticed while audio is sent', async () => {
    const calm = makeSchedule(1, { kind: 'ours', handoversOnly: true });
    const lineFaults = [[{ type: 'half-open', at: 100, noticedAfterMs: 600_000 }]] as const;
    const plain = {
      ...calm,
      feed: 'live',
      chunkMs: 80,
      lengthMs: 30_000,
      delayMsMax: 0,
      endsShare: 0,
    } as const;
    const outcome = await simulate({ ...plain, realTimeFactor: 0, sessionMsMax: undefined, lineFaults });
    expect(outcome.flaws).toEqual([]);
    expect(outcome.reconnects).toBe(1);
    // Found only at the end, it would take the time for an answer, a minute.
    expect(outcome.finishMs).toBeLessThan(5_000);
  });
});
