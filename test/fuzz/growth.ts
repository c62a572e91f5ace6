import { once } from './campaign.js';
import { Random } from './random.js';
import type { FuzzSubject, FuzzTarget } from './target.js';

/** The input that took most time for its length. */
export interface SlowestInput {
  readonly target: string;
  readonly seed: number;
  readonly bytes: number;
  /** Time of the processor, nanoseconds for each byte; the least of several runs. */
  readonly nsPerByte: number;
}

/** Sizes that are compared. The last is what a suspicion is confirmed with. */
const SIZES = [1, 4, 16, 64, 256].map((kib) => kib * 1024);
const STEP = 4;
/**
 * Four times as much may take so much longer: in a straight line it is four times, in a square sixteen. Twice in a row,
 * since a part of a parser may begin its work at a certain length.
 */
const RATIO_MAX = 8;
/** Shorter times are noise. */
const COUNTS_FROM_MS = 5;
/** From here on one ratio is enough. */
const STEEP_MS = 1_000;
/** Above it nothing is compared any more. */
const HANGS_MS = 10_000;
/** No parser needs more for a byte; a handler that does, at the largest message, holds the event loop for 16 s. */
const NS_PER_BYTE_MAX = 20_000;
const REPEATS = 3;

/**
 * Gives a target the same damage at growing sizes, again and again, and looks at the time of the processor that it takes: that is the
 * same on a machine that is busy, and the least of several runs is not what a garbage collection made of it.
 *
 * @throws Error where the time grows faster than the size, or is beyond all measure
 */
export async function grow(
  target: FuzzTarget,
  { seed, minutes }: { readonly seed: number; readonly minutes: number },
): Promise<SlowestInput> {
  const subject = await target.open();
  const endMs = performance.now() + minutes * 60_000;
  let slowest: SlowestInput = { target: target.name, seed, bytes: 0, nsPerByte: 0 };
  try {
    for (let at = seed; performance.now() < endMs; at += 1) {
      slowest = await growOne(subject, target, at, slowest);
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    await subject.close?.();
  }
  return slowest;
}

async function growOne(
  subject: FuzzSubject,
  target: FuzzTarget,
  seed: number,
  slowestSoFar: SlowestInput,
): Promise<SlowestInput> {
  const run = async (bytes: number, times = 1): Promise<number> => {
    let leastMs = Number.POSITIVE_INFINITY;
    for (let time = 0; time < times; time += 1) {
      const before = process.cpuUsage();
      await once(() => subject.attack(new Random(seed, bytes)), target, seed, bytes);
      const { user, system } = process.cpuUsage(before);
      leastMs = Math.min(leastMs, (user + system) / 1_000);
    }
    return leastMs;
  };
  let slowest = slowestSoFar;
  let beforeMs = Number.POSITIVE_INFINITY;
  for (const bytes of SIZES) {
    const takesMs = await run(bytes);
    const isSuspect = takesMs > COUNTS_FROM_MS && takesMs > RATIO_MAX * beforeMs;
    if (takesMs > HANGS_MS || (isSuspect && (await isSteep(run, bytes)))) {
      throw new Error(
        `${target.name} takes time that grows faster than its input: ${Math.round(takesMs)} ms for a repetition of ${bytes} bytes; once more: npm run fuzz -- ${target.name} --seed ${seed} --minutes 0.01`,
      );
    }
    if (bytes >= (SIZES[2] ?? 0) && perByte(takesMs, bytes) > slowest.nsPerByte) {
      const nsPerByte = perByte(await run(bytes, REPEATS), bytes);
      if (nsPerByte > slowest.nsPerByte) slowest = { target: target.name, seed, bytes, nsPerByte };
    }
    beforeMs = takesMs;
  }
  if (slowest.nsPerByte > NS_PER_BYTE_MAX) {
    throw new Error(`${target.name} takes ${slowest.nsPerByte} ns for a byte at seed ${slowest.seed}.`);
  }
  return slowest;
}

/** Is it so again, and at the next size as well? */
async function isSteep(
  run: (bytes: number, times: number) => Promise<number>,
  bytes: number,
): Promise<boolean> {
  const [one, two] = [await run(bytes / STEP, REPEATS), await run(bytes, REPEATS)];
  if (two <= RATIO_MAX * one) return false;
  // Of a cube the next size would take minutes.
  if (two > STEEP_MS) return true;
  // As often as the others: what a compiler or a collector of garbage did in one run is no growth.
  return (await run(bytes * STEP, REPEATS)) > RATIO_MAX * two;
}

function perByte(ms: number, bytes: number): number {
  return Math.round((ms * 1e6) / bytes);
}
