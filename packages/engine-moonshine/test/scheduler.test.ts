import { describe, expect, it } from 'vitest';
import { mostUrgent, urgencyMs } from '../src/scheduler.js';
import type { DecodePlan } from '../src/stream/recogniser.js';

const plan = (kind: DecodePlan['kind']): DecodePlan => ({ kind, edge: 16_000, speechEnd: 16_000 });
const live = (stream: string, backlogMs: number, kind: DecodePlan['kind'] = 'live') => {
  return { stream, plan: plan(kind), mode: 'live' as const, backlogMs, idleMs: 0 };
};

describe('who is decoded next', () => {
  it('is nobody when nobody has something', () => {
    expect(mostUrgent([])).toBeUndefined();
  });

  it('is the speaker who has waited longest', () => {
    expect(mostUrgent([live('a', 500), live('b', 1500), live('c', 900)])?.stream).toBe('b');
  });

  it('is the speaker who has paused before one who is a little later but goes on', () => {
    expect(mostUrgent([live('a', 1000), live('b', 800, 'pause')])?.stream).toBe('b');
    expect(mostUrgent([live('a', 1000), live('b', 800, 'hush')])?.stream).toBe('a');
    expect(mostUrgent([live('a', 2000), live('b', 800, 'cut')])?.stream).toBe('a');
  });

  it('is a file only after the speakers, yet its turn comes', () => {
    const file = (idleMs: number) => ({
      stream: 'file',
      plan: plan('cut'),
      mode: 'batch' as const,
      backlogMs: 30_000,
      idleMs,
    });
    expect(mostUrgent([file(1000), live('a', 500)])?.stream).toBe('a');
    expect(mostUrgent([file(20_000), live('a', 500)])?.stream).toBe('file');
    expect(urgencyMs(file(1000))).toBeLessThan(urgencyMs(live('a', 200)));
  });
});
