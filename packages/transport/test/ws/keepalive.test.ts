import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TRANSPORT_LIMITS } from '../../src/limits.js';
import { Keepalive } from '../../src/ws/keepalive.js';

/** A peer whose signs of life the test gives. */
function subject(options: { intervalMs?: number; timeoutMs?: number } = {}) {
  const state = { heard: 0, pings: 0, isPaused: false, isDead: false };
  const keepalive = new Keepalive({
    intervalMs: options.intervalMs ?? 20_000,
    timeoutMs: options.timeoutMs ?? 20_000,
    ping: () => {
      state.pings += 1;
    },
    signsOfLife: () => state.heard,
    isPaused: () => state.isPaused,
    onDead: () => {
      state.isDead = true;
    },
  });
  keepalive.start();
  return { state, keepalive };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('keepalive', () => {
  it('pings every interval while the peer is heard', () => {
    const { state, keepalive } = subject();
    for (let second = 0; second < 120; second += 1) {
      vi.advanceTimersByTime(1000);
      state.heard += 1;
    }
    expect(state).toMatchObject({ isDead: false, pings: 6 });
    keepalive.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps its interval when the timeout is shorter', () => {
    const { state } = subject({ timeoutMs: 5_000 });
    for (let second = 0; second < 60; second += 1) {
      vi.advanceTimersByTime(1000);
      state.heard += 1;
    }
    expect(state.pings).toBe(3);
  });

  it('calls a peer dead that is not heard within the timeout after a ping', () => {
    const { state } = subject();
    state.heard = 5;
    vi.advanceTimersByTime(39_999);
    expect(state.isDead).toBe(false);
    // A turn of the event loop lies between the bound and the verdict.
    vi.advanceTimersByTime(2);
    expect(state.isDead).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('notices with the figures of this package within ten seconds of the last word, and waits four for an answer', () => {
    const { pingIntervalMs, pongTimeoutMs } = TRANSPORT_LIMITS;
    // Gone at any moment: right behind its answer to a ping is the worst.
    for (let goneAtMs = 0; goneAtMs <= 2 * (pingIntervalMs + pongTimeoutMs); goneAtMs += 100) {
      const { state, keepalive } = subject({ intervalMs: pingIntervalMs, timeoutMs: pongTimeoutMs });
      for (let atMs = 0; atMs < goneAtMs + 10_000; atMs += 100) {
        if (atMs <= goneAtMs) state.heard += 1;
        vi.advanceTimersByTime(100);
      }
      expect(state.isDead).toBe(true);
      keepalive.stop();
    }
    const { state, keepalive } = subject({ intervalMs: pingIntervalMs, timeoutMs: pongTimeoutMs });
    for (let stop = 0; stop < 20; stop += 1) {
      vi.advanceTimersByTime(4_000);
      state.heard += 1;
      vi.advanceTimersByTime(10);
    }
    expect(state.isDead).toBe(false);
    keepalive.stop();
  });

  it('hears what came while this process stood still before it passes a verdict', () => {
    const { state, keepalive } = subject();
    vi.advanceTimersByTime(39_999);
    // What was in the socket is read once the timers that were due have run.
    setTimeout(() => {
      state.heard += 1;
    }, 1);
    vi.advanceTimersByTime(1);
    expect(state.isDead).toBe(false);
    keepalive.stop();
  });

  it('passes no verdict on silence that we caused by not reading', () => {
    const { state } = subject();
    state.isPaused = true;
    vi.advanceTimersByTime(200_000);
    expect(state.isDead).toBe(false);
    // Read again within the wait: the pong may have been stuck when it was asked for.
    vi.advanceTimersByTime(10_000);
    state.isPaused = false;
    vi.advanceTimersByTime(10_001);
    expect(state.isDead).toBe(false);
    vi.advanceTimersByTime(40_000);
    expect(state.isDead).toBe(true);
  });

  it('passes no verdict on silence that began behind the ping because we stopped reading', () => {
    const { state, keepalive } = subject();
    vi.advanceTimersByTime(20_001);
    expect(state.pings).toBe(1);
    state.isPaused = true;
    vi.advanceTimersByTime(20_001);
    expect(state.isDead).toBe(false);
    keepalive.stop();
  });

  it('never asks when its interval is infinite', () => {
    const { state } = subject({ intervalMs: Number.POSITIVE_INFINITY });
    vi.advanceTimersByTime(10_000_000);
    expect(state.pings).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
