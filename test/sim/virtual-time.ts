import { vi } from 'vitest';

/** Virtual time after which something hangs for good. */
const HOURS_MAX = 3;
const STEPS_MAX = 500_000;

/** Takes the clock of the process. Undone by `vi.useRealTimers`. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
}

/** Waits in virtual time. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Lets time pass until the promise settles: whatever can happen at one moment happens, then the clock jumps to the
 * next timer. Throws when nothing is left that could settle it, or after hours.
 */
export async function settle<T>(promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const note = (): void => {
    isSettled = true;
  };
  promise.then(note, note);
  const startMs = performance.now();
  for (let step = 0; ; step += 1) {
    await new Promise((resolve) => setImmediate(resolve));
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
