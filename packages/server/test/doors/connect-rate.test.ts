import { describe, expect, it } from 'vitest';
import { ConnectRate } from '../../src/doors/connect-rate.js';

describe('the rate of connects', () => {
  it('lets a burst in, then so many a second, each name for itself', () => {
    let nowMs = 0;
    const rate = new ConnectRate({ perSecond: 2, burst: 3 }, 10, () => nowMs);
    expect([1, 2, 3].map(() => rate.knock('a'))).toEqual([0, 0, 0]);
    expect(rate.knock('a')).toBe(1);
    expect(rate.knock('b')).toBe(0);
    nowMs = 500;
    expect([rate.knock('a'), rate.knock('a')]).toEqual([0, 1]);
    nowMs = 60_000;
    expect([1, 2, 3, 4].map(() => rate.knock('a'))).toEqual([0, 0, 0, 1]);
  });

  it('remembers a bounded number of names, and forgets who knocked longest ago, not who came first', () => {
    const rate = new ConnectRate({ perSecond: 1, burst: 1 }, 2, () => 0);
    expect(['a', 'b', 'a'].map((name) => rate.knock(name))).toEqual([0, 0, 1]);
    rate.knock('c');
    expect(rate.knock('a')).toBe(1);
    expect(rate.knock('b')).toBe(0);
  });
});
