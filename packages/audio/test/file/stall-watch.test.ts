import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StallWatch } from '../../src/file/stall-watch.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('calls once the decoder was at work for the whole time without progress', () => {
  const onStall = vi.fn();
  const watch = new StallWatch(1000, onStall);
  watch.progress(true);
  vi.advanceTimersByTime(999);
  expect(onStall).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onStall).toHaveBeenCalledTimes(1);
});

it('begins anew with each progress', () => {
  const onStall = vi.fn();
  const watch = new StallWatch(1000, onStall);
  for (let step = 0; step < 10; step += 1) {
    watch.progress(true);
    vi.advanceTimersByTime(999);
  }
  expect(onStall).not.toHaveBeenCalled();
});

it('stands still while it is the turn of somebody else, and leaves no timer', () => {
  const onStall = vi.fn();
  const watch = new StallWatch(1000, onStall);
  watch.progress(true);
  watch.progress(false);
  expect(vi.getTimerCount()).toBe(0);
  watch.progress(true);
  watch.stop();
  watch.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(10_000);
  expect(onStall).not.toHaveBeenCalled();
});

it('that waits without end waits for a day, and not for nothing', () => {
  const onStall = vi.fn();
  new StallWatch(Number.POSITIVE_INFINITY, onStall).progress(true);
  vi.advanceTimersByTime(24 * 60 * 60 * 1000 - 1);
  expect(onStall).not.toHaveBeenCalled();
});
