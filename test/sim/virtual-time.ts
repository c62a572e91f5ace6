import { vi } from 'vitest';

/** Virtual time after which something hangs for good. */
const HOURS_MAX = 3;
const STEPS_MAX = 500_000;

/**
 * A timer that is pending. A simulation starts some hundred thousand of them: vitest's own clock, which looks through all
 * of them for the next one, took a tenth of the time.
 */
class Timer {
  readonly dueMs: number;
  readonly run: () => void;

  constructor(dueMs: number, run: () => void) {
    this.dueMs = dueMs;
    this.run = run;
  }

  /** What Node's timers have; nothing ends here because of them. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** The next one last; of two that are due at one moment, the one that was started first. */
let timers: Timer[] = [];
let nowMs = 0;
/** Timers that belong to the simulation, not to what is tried. */
let sleepers = 0;

/** Takes the clock of the process. Undone by `startTime`. */
export function stopTime(): void {
  timers = [];
  nowMs = 0;
  sleepers = 0;
  vi.stubGlobal('performance', { now: () => nowMs });
  vi.stubGlobal('setTimeout', startTimer);
  vi.stubGlobal('clearTimeout', endTimer);
}

/** Gives the process its clock back. */
export function startTime(): void {
  vi.unstubAllGlobals();
}

/** As Node does: a millisecond at least, and whole ones. */
function startTimer(run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]): Timer {
  const timer = new Timer(nowMs + Math.max(1, Math.trunc(ms)), () => run(...values));
  let at = timers.length;
  while (at > 0 && (timers[at - 1]?.dueMs ?? 0) <= timer.dueMs) at -= 1;
  timers.splice(at, 0, timer);
  return timer;
}

function endTimer(timer: Timer | undefined): void {
  const at = timer === undefined ? -1 : timers.lastIndexOf(timer);
  if (at >= 0) timers.splice(at, 1);
}

/** The clock jumps to the next timer, and everything that is due then runs. */
function jump(): void {
  nowMs = timers.at(-1)?.dueMs ?? nowMs;
  while (timers.at(-1)?.dueMs === nowMs) timers.pop()?.run();
}

/** Waits in virtual time. */
export function sleep(ms: number): Promise<void> {
  sleepers += 1;
  return new Promise((resolve) => {
    startTimer(() => {
      sleepers -= 1;
      resolve();
    }, ms);
  });
}

/** Timers that are pending and not the simulation's own: those of the client, the transport and the server. */
export function pendingTimers(): number {
  return timers.length - sleepers;
}

/**
 * Lets time pass until the promise settles: whatever can happen at one moment happens, then the clock jumps to the
 * next timer. `onStep` looks around before each jump. Throws when nothing is left that could settle it, or after hours.
 */
export async function settle<T>(promise: Promise<T>, onStep: () => void = () => undefined): Promise<T> {
  let isSettled = false;
  const note = (): void => {
    isSettled = true;
  };
  promise.then(note, note);
  const startMs = nowMs;
  for (let step = 0; ; step += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    onStep();
    if (isSettled) return await promise;
    if (timers.length === 0) {
      // Once more: what waits for a promise chain that crosses several turns.
      await new Promise((resolve) => setImmediate(resolve));
      if (isSettled) return await promise;
      throw new Error('Everything waits and no timer is left.');
    }
    if (step > STEPS_MAX || nowMs - startMs > HOURS_MAX * 3_600_000) {
      throw new Error('Hours have passed and it has not come to an end.');
    }
    jump();
  }
}
