import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Liveness } from '../../src/client/liveness.js';
import { SAGEMAKER_LIMITS } from '../../src/limits.js';

const { livenessIntervalMs: intervalMs, livenessTimeoutMs: timeoutMs } = SAGEMAKER_LIMITS;

let heard: number;
let pings: number;
let deaths: number;
let answersPings: boolean;
let liveness: Liveness;

beforeEach(() => {
  vi.useFakeTimers();
  [heard, pings, deaths, answersPings] = [0, 0, 0, false];
  liveness = new Liveness({
    intervalMs,
    timeoutMs,
    signsOfLife: () => heard,
    ping: () => {
      pings += 1;
      if (answersPings) heard += 17;
    },
    onDead: () => {
      deaths += 1;
    },
  });
  liveness.start();
});

afterEach(() => {
  liveness.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('signs of life', () => {
  it('are missed within ten seconds, wherever in an interval the line was cut', () => {
    for (let cutAtMs = 0; cutAtMs < 15_000; cutAtMs += 250) {
      liveness.stop();
      liveness.start();
      deaths = 0;
      answersPings = true;
      vi.advanceTimersByTime(cutAtMs);
      heard += 1;
      answersPings = false;
      vi.advanceTimersByTime(10_000);
      expect(deaths).toBe(1);
    }
  });

  it('are any bytes: while some come there are no pings', () => {
    for (let second = 0; second < 600; second += 1) {
      heard += 1;
      vi.advanceTimersByTime(1000);
    }
    expect([pings, deaths]).toEqual([0, 0]);
  });

  it('are asked for in silence, again and again', () => {
    answersPings = true;
    vi.advanceTimersByTime(600_000);
    expect(deaths).toBe(0);
    expect(pings).toBeGreaterThan(600_000 / (intervalMs + timeoutMs) - 2);
  });

  it('may lie unread in the socket when this process was held up itself', () => {
    vi.advanceTimersByTime(intervalMs + timeoutMs - 1);
    // Behind the last timer, before the verdict: there the socket is read.
    setTimeout(() => {
      heard += 1;
    }, 1);
    vi.advanceTimersByTime(2);
    expect(deaths).toBe(0);
  });

  it('may come at the last moment', () => {
    vi.advanceTimersByTime(intervalMs + timeoutMs - 1);
    heard += 1;
    vi.advanceTimersByTime(1);
    expect(deaths).toBe(0);
  });
});
