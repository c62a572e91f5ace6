import type { Usage } from '@kikitori/protocol';
import { describe, expect, it } from 'vitest';
import { stepsOf, TurnLimit } from '../src/turn-limit.js';

const usage = (prompt: number, completion: number): Usage => ({
  prompt_tokens: prompt,
  total_tokens: prompt + completion,
  completion_tokens: completion,
  prompt_tokens_details: null,
});

describe('what a model bears in one turn', () => {
  it('is counted as vLLM counts it', () => {
    const counts = [0, 1, 1_600, 16_000, 80_000, 960_000].map(stepsOf);
    expect(counts).toEqual([0, 10, 12, 23, 73, 760]);
  });

  it.each([80, 480, 960, 2_400])(
    'leaves a model of %i ms room for its prompt, before it is known and after',
    (delayMs) => {
      const prompt = 33 + delayMs / 80;
      const limit = new TurnLimit(2_048);
      const steps = (): number => stepsOf((limit.turnMsMax ?? 0) * 16);
      expect(prompt + steps()).toBeLessThan(2_048);
      expect(limit.note(usage(prompt, 10), 10)).toBe(true);
      expect(prompt + steps()).toBeLessThan(2_048);
      expect(prompt + steps()).toBeGreaterThan(2_048 - 4);
    },
  );

  it('is at least a second, however little it bears', () => {
    expect(new TurnLimit(64).turnMsMax).toBe(1_000);
  });

  it('is asked once, and not known where nobody answers', async () => {
    let asked = 0;
    const limit = new TurnLimit(async () => {
      asked += 1;
      throw new Error('nobody');
    });
    expect(limit.isKnown).toBe(false);
    await Promise.all([limit.ask(), limit.ask()]);
    expect([asked, limit.isKnown, limit.turnMsMax]).toEqual([1, true, undefined]);
  });

  it('is learned from a turn that was ended unasked', () => {
    const limit = new TurnLimit(undefined);
    expect(limit.isReached(usage(39, 89), { isAsked: false, steps: 89 })).toBe(true);
    expect(limit.tokens).toBe(128);
  });

  it('is what ended an answer that is as long as it, and nothing else did', () => {
    const limit = new TurnLimit(128);
    expect(limit.isReached(usage(39, 89), { isAsked: true, steps: 89 })).toBe(true);
    expect(limit.isReached(usage(39, 40), { isAsked: true, steps: 40 })).toBe(false);
    expect(limit.tokens).toBe(128);
  });

  it('is not what ended an answer of a model that takes no steps', () => {
    const limit = new TurnLimit(undefined);
    for (const isAsked of [true, false]) {
      expect(limit.isReached(usage(390, 89), { isAsked, steps: 89 })).toBe(false);
      expect(limit.isReached(usage(39, 89), { isAsked, steps: 4 })).toBe(false);
      expect(limit.isReached(null, { isAsked, steps: 4 })).toBe(false);
    }
    expect(limit.tokens).toBeUndefined();
  });

  it('is forgotten where what was learned was the way of a server that counts otherwise', () => {
    const limit = new TurnLimit(undefined);
    expect(limit.isReached(usage(39, 60), { isAsked: true, steps: 60 })).toBe(true);
    expect(limit.isReached(usage(39, 20), { isAsked: true, steps: 20 })).toBe(false);
    expect(limit.tokens).toBeUndefined();
  });
});
