import { CLIENT_LIMITS } from '@kikitori/client';
import { expect, it } from 'vitest';
import { firstFlaw, type Tally } from './first-flaw.js';
import { calmSchedule, type Schedule, troublesOf } from './schedule.js';
import { simulate } from './simulate.js';

/** How often one connection has to take over from another, at least, in a hundred schedules that have nothing else. */
export interface CaseExpectations {
  readonly handoversMin: number;
  /** Speech that makes more events than a caller who loops may leave unread. */
  readonly manyEventsMs: number;
}

/** Everything that can happen has happened, in one schedule of 25 at least, and a connection was lost in every second one. */
export function expectTroubles(kind: Schedule['kind'], { count, reconnects, struck }: Tally): void {
  expect(reconnects).toBeGreaterThan(count / 2);
  const rare = troublesOf(kind).filter((trouble) => (struck.get(trouble) ?? 0) < count / 25);
  expect(rare).toEqual([]);
}

/** What has to hold whatever answers: registers a test for each. */
export function registerCases(
  kind: Schedule['kind'],
  { handoversMin, manyEventsMs }: CaseExpectations,
): void {
  it('the transcript is the one that nothing disturbed', { timeout: 300_000 }, async () => {
    const tally = await firstFlaw(150, { kind });
    expect(tally.flaw).toBeUndefined();
    expectTroubles(kind, tally);
  });

  it('so it is where lines are cut inside of frames and messages come in pieces', {
    timeout: 300_000,
  }, async () => {
    const tally = await firstFlaw(50, { kind, way: 'bytes' });
    expect(tally.flaw).toBeUndefined();
    expectTroubles(kind, tally);
  });

  it('nothing is lost or doubled where one connection takes over from another', {
    timeout: 300_000,
  }, async () => {
    const { count, flaw, reconnects, handovers } = await firstFlaw(50, { kind, handoversOnly: true });
    expect(flaw).toBeUndefined();
    expect(reconnects).toBe(0);
    expect(handovers).toBeGreaterThan((count / 100) * handoversMin);
  });

  it('a client that does not replay fails, and what is shown is one fault', { timeout: 60_000 }, async () => {
    const { flaw = '' } = await firstFlaw(50, { kind }, { isLasting: false });
    const [seed, shown = ''] = flaw.split('\n');
    expect(seed).toMatch(/^seed \d+$/);
    const { lineFaults, doorFaults, serverFaults, readerPauses }: Schedule = JSON.parse(shown);
    const faults = [...lineFaults.flat(), ...doorFaults, ...serverFaults, ...readerPauses];
    expect(faults.filter((fault) => fault !== null)).toHaveLength(1);
  });

  it('so it is for a file and a caller who does not read on for a minute: the server waits, and nothing piles up', {
    timeout: 120_000,
  }, async () => {
    const readerPauses = [{ at: 20, ms: 60_000 }];
    const { flaws, peaks, reconnects } = await simulate(
      calmSchedule(kind, { feed: 'file', lengthMs: manyEventsMs, readerPauses, wantsWords: true }),
    );
    expect(flaws).toEqual([]);
    expect(reconnects).toBe(0);
    expect(peaks.events).toBeGreaterThanOrEqual(CLIENT_LIMITS.eventsHighWater);
  });

  it('a line that is dead and does not say so is noticed while audio is sent', async () => {
    const lineFaults = [[{ type: 'half-open', at: 100, noticedAfterMs: 600_000 }]] as const;
    const outcome = await simulate(calmSchedule(kind, { lengthMs: 30_000, lineFaults }));
    expect(outcome.flaws).toEqual([]);
    expect(outcome.reconnects).toBe(1);
    // Found only at the end, it would take the time for an answer, a minute.
    expect(outcome.finishMs).toBeLessThan(5_000);
  });
}
