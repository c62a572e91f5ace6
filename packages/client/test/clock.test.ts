import { sleep, systemClock } from '@kikitori/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Deadline } from '../src/deadline.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a server that asks to stay away for thirty years is not asked again at once, and a wait without end does not end', async () => {
  const ended = vi.fn();
  for (const ms of [999_999_999_000, Number.POSITIVE_INFINITY]) {
    void sleep(systemClock, ms).then(ended);
    new Deadline(ms, ended).restart();
  }
  await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1000);
  expect(ended).not.toHaveBeenCalled();
});
