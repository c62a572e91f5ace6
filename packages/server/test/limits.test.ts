import { describe, expect, it } from 'vitest';
import { queuedAudioMsOf } from '../src/limits.js';

const GIB = 1024 ** 3;
const MINUTE_MS = 60_000;

describe('audio that may wait in a session', () => {
  it('is an hour where all sessions together then have an eighth of the memory at most', () => {
    expect(queuedAudioMsOf(24 * GIB, 8)).toBe(60 * MINUTE_MS);
    const ms = queuedAudioMsOf(4 * GIB, 8);
    expect(ms).toBeLessThan(60 * MINUTE_MS);
    expect(ms * 32 * 8).toBeLessThanOrEqual((4 * GIB) / 8);
  });

  it('is ten minutes however little memory there is: the longest message still fits', () => {
    expect(queuedAudioMsOf(GIB / 2, 16)).toBe(10 * MINUTE_MS);
  });
});
