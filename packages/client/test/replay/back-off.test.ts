import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RETRIES_MAX, RETRY_AWAY_MS_MAX, RETRY_BASE_MS, RETRY_MS_MAX } from '../../src/limits.js';
import { BackOff } from '../../src/replay/back-off.js';

const later = { atOnce: false, awayMs: undefined };
const away = { ...later, awayMs: 0 };

describe('BackOff', () => {
  it('doubles the wait from try to try, up to its bound', () => {
    const backOff = new BackOff(Number.POSITIVE_INFINITY, () => 1);
    const waits = Array.from({ length: 12 }, () => backOff.next(0, later));
    expect(waits.slice(0, 3)).toEqual([RETRY_BASE_MS, RETRY_BASE_MS * 2, RETRY_BASE_MS * 4]);
    expect(waits.at(-1)).toBe(RETRY_MS_MAX);
  });

  it('comes back within a second of a server that was away, however long it was', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 300 }), (chances) => {
        const left = [...chances];
        const backOff = new BackOff(Number.POSITIVE_INFINITY, () => left.shift() ?? 1);
        let nowMs = 0;
        while (left.length > 0) {
          const waitMs = backOff.next(nowMs, away) ?? 0;
          expect(waitMs).toBeLessThanOrEqual(RETRY_AWAY_MS_MAX);
          nowMs += waitMs;
        }
      }),
    );
    // And no two of those who wait come at the same moment: the wait is chance alone.
    const at = (chance: number) => new BackOff(Number.POSITIVE_INFINITY, () => chance).next(0, away);
    expect([at(0), at(0.5), at(1)]).toEqual([0, RETRY_BASE_MS / 2, RETRY_BASE_MS]);
  });

  it('leaves a part of each wait to chance, on top of what the server asked for', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(60_000), (chance, awayMs) => {
        const backOff = new BackOff(Number.POSITIVE_INFINITY, () => chance);
        const waitMs = backOff.next(0, { ...later, awayMs }) ?? Number.NaN;
        expect(waitMs).toBeCloseTo(awayMs + RETRY_BASE_MS * chance, 6);
      }),
    );
  });

  it('does not wait for the first try where the server told to come back; for the second it does', () => {
    const backOff = new BackOff(Number.POSITIVE_INFINITY, () => 1);
    const atOnce = { ...later, atOnce: true };
    expect([backOff.next(0, atOnce), backOff.next(0, atOnce)]).toEqual([0, RETRY_BASE_MS * 2]);
  });

  it('gives up when the next try would come too late, and begins anew behind a good connection', () => {
    const backOff = new BackOff(10_000, () => 1);
    expect(backOff.next(5_000, later)).toBe(RETRY_BASE_MS);
    expect(backOff.next(15_001, later)).toBeUndefined();
    backOff.reset();
    expect(backOff.next(15_001, later)).toBe(RETRY_BASE_MS);
  });

  it('gives up after so many tries, however quickly they fail', () => {
    const backOff = new BackOff(Number.POSITIVE_INFINITY, () => 0);
    const waits = Array.from({ length: RETRIES_MAX + 1 }, () => backOff.next(0, later));
    expect(waits.indexOf(undefined)).toBe(RETRIES_MAX);
  });
});
