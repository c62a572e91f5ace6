import { describe, expect, it } from 'vitest';
import { registerCases } from './cases.js';
import { firstFlaw } from './first-flaw.js';
import { calmSchedule } from './schedule.js';
import { simulate } from './simulate.js';

describe('whatever breaks between the microphone and our server', () => {
  registerCases('ours', { handoversMin: 100, manyEventsMs: 1_500_000 });

  it('where more has to be kept than may be, the gap is said exactly, and memory stays where it is', {
    timeout: 120_000,
  }, async () => {
    const { count, flaw, gaps } = await firstFlaw(30, { kind: 'ours', keepsLittle: true });
    expect(flaw).toBeUndefined();
    expect(gaps).toBeGreaterThan(count / 5);
  });

  it('two hours go over five connections of half an hour', { timeout: 300_000 }, async () => {
    const { flaws, handovers } = await simulate(
      calmSchedule('ours', { chunkMs: 1_000, lengthMs: 7_200_000, sessionMsMax: 1_800_000 }),
    );
    expect(flaws).toEqual([]);
    expect(handovers).toBe(4);
  });
});
