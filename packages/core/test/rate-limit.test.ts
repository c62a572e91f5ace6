import { describe, expect, it } from 'vitest';
import { TokenBuckets } from '../src/index.js';

describe('a bucket of tokens for each name', () => {
  it('lets a burst in, then so many a second, each name for itself', () => {
    let nowMs = 0;
    const rate = new TokenBuckets({ perSecond: 2, burst: 3 }, 10, () => nowMs);
    expect([1, 2, 3].map(() => rate.take('a'))).toEqual([0, 0, 0]);
    expect(rate.take('a')).toBe(1);
    expect(rate.take('b')).toBe(0);
    nowMs = 500;
    expect([rate.take('a'), rate.take('a')]).toEqual([0, 1]);
    nowMs = 60_000;
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([0, 0, 0, 1]);
  });

  it('remembers a bounded number of names, and forgets the one used longest ago, not the one that came first', () => {
    const rate = new TokenBuckets({ perSecond: 1, burst: 1 }, 2, () => 0);
    expect(['a', 'b', 'a'].map((name) => rate.take(name))).toEqual([0, 0, 1]);
    rate.take('c');
    expect(rate.take('a')).toBe(1);
    expect(rate.take('b')).toBe(0);
  });
});
