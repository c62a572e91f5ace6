import { makeSchedule, type Schedule, type ScheduleOptions, smallerThan, type Trouble } from './schedule.js';
import { simulate } from './simulate.js';

/** KIKITORI_SIM_COUNT: how many schedules of each kind; KIKITORI_SIM_SEED: from which seed on. */
const FIRST_SEED = Number(process.env['KIKITORI_SIM_SEED'] ?? 1);
const COUNT = process.env['KIKITORI_SIM_COUNT'];

/** How a number of schedules came out. */
export interface Tally {
  /** How many were asked for. */
  readonly count: number;
  /** What went wrong first: its seed, the smallest schedule that still fails, and how; undefined: nothing did. */
  readonly flaw: string | undefined;
  readonly reconnects: number;
  readonly handovers: number;
  readonly rollovers: number;
  readonly limits: number;
  readonly gaps: number;
  readonly lossesBehind: number;
  /** How many of the schedules each trouble struck. */
  readonly struck: ReadonlyMap<Trouble, number>;
}

/** Runs schedules one after the other until one fails. `isLasting`: see `simulate`. */
export async function firstFlaw(
  countByDefault: number,
  options: ScheduleOptions,
  { isLasting = true } = {},
): Promise<Tally> {
  const count = Number(COUNT ?? countByDefault);
  let reconnects = 0;
  let handovers = 0;
  let rollovers = 0;
  let limits = 0;
  let gaps = 0;
  let lossesBehind = 0;
  const struck = new Map<Trouble, number>();
  const counts = () => {
    return { count, reconnects, handovers, rollovers, limits, gaps, lossesBehind, struck };
  };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + count; seed += 1) {
    const schedule = makeSchedule(seed, options);
    const outcome = await simulate(schedule, { isLasting });
    reconnects += outcome.reconnects;
    handovers += outcome.handovers;
    rollovers += outcome.rollovers;
    limits += outcome.limits;
    gaps += outcome.gaps;
    lossesBehind += outcome.lossesBehind;
    for (const type of outcome.struck) struck.set(type, (struck.get(type) ?? 0) + 1);
    if (outcome.flaws.length > 0) {
      return { ...counts(), flaw: await report(schedule, isLasting) };
    }
  }
  return { ...counts(), flaw: undefined };
}

/** Makes a failing schedule smaller as long as it fails, and tells what is left. */
async function report(schedule: Schedule, isLasting: boolean): Promise<string> {
  let smallest = schedule;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      if ((await simulate(candidate, { isLasting })).flaws.length === 0) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  const { flaws } = await simulate(smallest, { isLasting });
  return `seed ${schedule.seed}\n${JSON.stringify(smallest)}\n${flaws.join('\n')}`;
}
