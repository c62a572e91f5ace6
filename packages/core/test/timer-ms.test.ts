import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { timerMs } from '../src/index.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([2 ** 31, 1e12, Number.POSITIVE_INFINITY])('a wait of %d ms is not over at once', (waitMs) => {
  const run = vi.fn();
  setTimeout(run, timerMs(waitMs));
  vi.advanceTimersByTime(24 * 24 * 60 * 60 * 1000);
  expect(run).not.toHaveBeenCalled();
});

it('a shorter one is what it is', () => {
  expect([0, 1, 2 ** 31 - 1].map(timerMs)).toEqual([0, 1, 2 ** 31 - 1]);
});
