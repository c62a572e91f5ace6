import { describe, expect, it } from 'vitest';
import { makeSchedule, type Schedule, type ScheduleOptions, smallerThan } from './schedule.js';
import { simulate } from './simulate.js';

/** KIKITORI_SIM_COUNT: how many; KIKITORI_SIM_SEED: from which on. */
const COUNT = Number(process.env['KIKITORI_SIM_COUNT'] ?? 300);
const FIRST_SEED = Number(process.env['KIKITORI_SIM_SEED'] ?? 1);

async function firstFailure(count: number, options: ScheduleOptions): Promise<string | undefined> {
  let reconnects = 0;
  let handovers = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + count; seed += 1) {
    const schedule = makeSchedule(seed, options);
    const outcome = await simulate(schedule);
    reconnects += outcome.reconnects;
    handovers += outcome.handovers;
    if (outcome.flaws.length > 0) return await report(schedule);
  }
  expect(reconnects + handovers).toBeGreaterThan(count / 2);
  return undefined;
}

/** Makes a failing schedule smaller as long as it fails, and tells what is left. */
async function report(schedule: Schedule): Promise<string> {
  let smallest = schedule;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      if ((await simulate(candidate)).flaws.length === 0) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  const { flaws } = await simulate(smallest);
  return `seed ${schedule.seed}\n${JSON.stringify(smallest)}\n${flaws.join('\n')}`;
}

describe('whatever breaks between the microphone and the engine', () => {
  it('the transcript is the one that nothing disturbed', { timeout: 300_000 }, async () => {
    expect(await firstFailure(COUNT, {})).toBeUndefined();
  });
});
