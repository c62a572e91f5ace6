import { vi } from 'vitest';

/** Virtual time after which something hangs for good. */
const HOURS_MAX = 3;
const STEPS_MAX = 500_000;

/** Timers that belong to the simulation, not to what is tried. */
let sleepers = 0;

/** Takes the clock of the process. Undone by `vi.useRealTimers`. */
export function stopTime(): void {
  sleepers = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
}

/** Waits in virtual time. */
export function sleep(ms: number): Promise<void> {
  sleepers += 1;
  return new Promise((resolve) => {
    setTimeout(() => {
      sleepers -= 1;
      resolve();
    }, ms);
  });
}

/** Timers that are pending and not the simulation's own: those of the client, the transport and the server. */
export function pendingTimers(): number {
  return vi.getTimerCount() - sleepers;
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
  const startMs = performance.now();
  for (let step = 0; ; step += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    onStep();
    if (isSettled) return await promise;
    if (vi.getTimerCount() === 0) {
      // Once more: what waits for a promise chain that crosses several turns.
      await new Promise((resolve) => setImmediate(resolve));
      if (isSettled) return await promise;
      throw new Error('Everything waits and no timer is left.');
    }
    if (step > STEPS_MAX || performance.now() - startMs > HOURS_MAX * 3_600_000) {
      throw new Error('Hours have passed and it has not come to an end.');
    }
    vi.advanceTimersToNextTimer();
  }
}
