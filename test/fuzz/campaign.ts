import { Random } from './random.js';
import type { FuzzTarget } from './target.js';

/** How long and from where. */
export interface Campaign {
  readonly seed: number;
  /** Ends after so many attacks, or after so many minutes where they are given. */
  readonly attacks: number;
  readonly minutes?: number | undefined;
}

export interface CampaignReport {
  readonly attacks: number;
  /** The attack that took longest. */
  readonly slowestMs: number;
  readonly slowestSeed: number;
}

/** An attack that takes longer hangs: nothing here waits for more than its own bounds. */
const HANGS_MS = 60_000;

/**
 * Attacks the target again and again. Attack number n has the seed `seed + n`, so that one can be run alone.
 *
 * @throws Error that names the seed of the attack, with what went wrong as its cause
 */
export async function attack(
  target: FuzzTarget,
  { seed, attacks, minutes }: Campaign,
): Promise<CampaignReport> {
  const endMs = minutes === undefined ? undefined : performance.now() + minutes * 60_000;
  const subject = await target.open();
  let done = 0;
  let slowest = { ms: 0, seed };
  const { stackTraceLimit } = Error;
  // Most answers are errors, and to note where each was made takes a sixth of the time. Whoever runs one alone sees it.
  if (attacks > 1) Error.stackTraceLimit = 0;
  try {
    for (; endMs === undefined ? done < attacks : performance.now() < endMs; done += 1) {
      const startMs = performance.now();
      await once(() => subject.attack(new Random(seed + done)), target, seed + done);
      const ms = performance.now() - startMs;
      if (ms > slowest.ms) slowest = { ms, seed: seed + done };
      // What an attack left behind may fail now, and is heard while its number is still known.
      if (done % 256 === 255) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    await subject.close?.();
  }
  return { attacks: done, slowestMs: Math.round(slowest.ms), slowestSeed: slowest.seed };
}

/** One attack; what goes wrong is thrown with the number by which it comes again. */
export async function once(
  run: () => void | Promise<void>,
  { name }: FuzzTarget,
  seed: number,
  stretchBytes?: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const answered = run();
    if (answered === undefined) return;
    const hang = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('It hangs.')), HANGS_MS);
    });
    await Promise.race([answered, hang]);
  } catch (cause) {
    const how = stretchBytes === undefined ? '--attacks 1' : '--minutes 0.01';
    const again = `npm run fuzz -- ${name} --seed ${seed} ${how}`;
    throw new Error(`${name} failed at seed ${seed}; once more: ${again}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
