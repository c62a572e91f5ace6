import { describe, expect, it } from 'vitest';
import type { DecodePlan } from '../../src/recognition/recogniser.js';
import { nextTurn } from '../../src/recognition/scheduler.js';

const plan = (kind: DecodePlan['kind']): DecodePlan => ({ kind, edge: 16_000, speechEnd: 16_000 });
const live = (stream: string, backlogMs: number, kind: DecodePlan['kind'] = 'live') => {
  return { stream, plan: plan(kind), isWaiter: false, backlogMs, idleMs: 0 };
};
const share = { isOpen: true, isDue: false };

// What waiters get beside speakers is told by what comes of it: see fairness.test.ts.
describe('who is decoded next', () => {
  it('is nobody when nobody has something', () => {
    expect(nextTurn([], share)).toBeUndefined();
  });

  it('is the speaker who has waited longest', () => {
    expect(nextTurn([live('a', 500), live('b', 1500), live('c', 900)], share)?.stream).toBe('b');
  });

  it('is the speaker who has paused before one who is a little later but goes on', () => {
    expect(nextTurn([live('a', 1000), live('b', 800, 'pause')], share)?.stream).toBe('b');
    expect(nextTurn([live('a', 1000), live('b', 800, 'hush')], share)?.stream).toBe('a');
    expect(nextTurn([live('a', 2000), live('b', 800, 'cut')], share)?.stream).toBe('a');
  });
});
