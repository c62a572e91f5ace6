import { describe, expect, it } from 'vitest';
import { abortable, sleep, untilAborted, whenAborted } from '../src/index.js';
import { ManualClock } from '../src/manual-clock.js';

/** A signal that counts who listens to it. */
function watched(): { readonly controller: AbortController; readonly listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    count += 1;
    add(...given);
  };
  signal.removeEventListener = (...given: Parameters<typeof remove>) => {
    count -= 1;
    remove(...given);
  };
  return { controller, listeners: () => count };
}

const NEVER = new Promise<never>(() => undefined);
const REASON = new Error('enough');

describe('a wait with a signal', () => {
  it('gives what the promise gives, and leaves no listener behind', async () => {
    const { controller, listeners } = watched();
    expect(await abortable(Promise.resolve(7), controller.signal)).toBe(7);
    await expect(abortable(Promise.reject(REASON), controller.signal)).rejects.toBe(REASON);
    expect(listeners()).toBe(0);
  });

  it('rejects with the reason, or with what is made of it, also when it came before', async () => {
    const { controller, listeners } = watched();
    const waiting = abortable(NEVER, controller.signal);
    controller.abort(REASON);
    await expect(waiting).rejects.toBe(REASON);
    await expect(abortable(Promise.resolve(7), controller.signal)).rejects.toBe(REASON);
    const named = abortable(NEVER, controller.signal, ({ reason }) => new Error('ended', { cause: reason }));
    await expect(named).rejects.toMatchObject({ message: 'ended', cause: REASON });
    await untilAborted(controller.signal);
    expect(listeners()).toBeLessThanOrEqual(0);
  });

  it('is no error of anybody where the promise fails later', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', onUnhandled);
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    await expect(abortable(late, AbortSignal.abort(REASON))).rejects.toBe(REASON);
    fail(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).toEqual([]);
  });

  it('runs what is to happen once, at once where the signal has fired, never where it was taken back', () => {
    const { controller } = watched();
    let runs = 0;
    const leave = whenAborted(controller.signal, () => {
      runs += 1;
    });
    leave();
    whenAborted(controller.signal, () => {
      runs += 10;
    });
    controller.abort();
    whenAborted(controller.signal, () => {
      runs += 100;
    });
    expect(runs).toBe(110);
  });
});

describe('sleep', () => {
  it('ends after its time, by the clock that is given', async () => {
    const clock = new ManualClock();
    const { controller, listeners } = watched();
    const sleeping = sleep(clock, 500, { signal: controller.signal });
    clock.advance(499);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    await sleeping;
    expect([clock.pending, listeners()]).toEqual([0, 0]);
  });

  it('ends with the reason of the signal and leaves no timer; one that has fired starts none', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 500, { signal: controller.signal });
    controller.abort(REASON);
    await expect(sleeping).rejects.toBe(REASON);
    await expect(sleep(clock, 500, { signal: controller.signal })).rejects.toBe(REASON);
    expect(clock.pending).toBe(0);
  });
});
