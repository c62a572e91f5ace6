import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { SessionMeter } from '../../src/session/meter.js';
import type { Effect } from '../../src/session/state.js';

const pcm = (ms: number): Uint8Array => new Uint8Array(ms * 32);
const done: Effect = {
  type: 'send',
  notice: { type: 'done', text: ' One.', samples: 16_000, tokens: 3, audioMs: 1_000 },
};

const open: Effect = {
  type: 'open',
  wishes: { words: true, partials: false, onsets: false, delayMs: undefined },
};

describe('the meter', () => {
  it('counts what a stream says from where that stream began, also in the step that opens the next', () => {
    const meter = new SessionMeter(new ManualClock(), undefined);
    const first = pcm(1_000);
    meter.observe({ type: 'append', pcm: first }, [open, { type: 'write', pcm: first }], 0);
    expect(meter.backlogMs).toBe(1_000);
    meter.observe({ type: 'end' }, [{ type: 'flush', marker: 1 }], 0);
    // The next utterance waits; its client asked for partials meanwhile, so it gets a stream of its own.
    const next = pcm(500);
    meter.observe({ type: 'append', pcm: next }, [], 0);
    meter.observe({ type: 'begin' }, [], 0);
    const flushed = { type: 'flushed', marker: 1, settledMs: 1_000, tokens: 3 } as const;
    const effects: Effect[] = [done, { type: 'release' }, open, { type: 'write', pcm: next }];
    meter.observe({ type: 'hypothesis', hypothesis: flushed }, effects, 100);
    expect(meter.backlogMs).toBe(500);
    const progress = { type: 'progress', settledMs: 200 } as const;
    meter.observe({ type: 'hypothesis', hypothesis: progress }, [], 200);
    expect(meter.backlogMs).toBe(300);
  });

  it('counts words of text that comes in pieces, and how late each of them begins', () => {
    const meter = new SessionMeter(new ManualClock(), undefined);
    const audio = pcm(1_000);
    meter.observe({ type: 'append', pcm: audio }, [open, { type: 'write', pcm: audio }], 0);
    for (const [text, atMs] of [
      [' yes', 500],
      ['terday', 900],
      [' once', 700],
    ] as const) {
      const hypothesis = { type: 'text', text, endMs: 400, settledMs: 0 } as const;
      meter.observe({ type: 'hypothesis', hypothesis }, [], atMs);
    }
    const { words, lagP95Ms } = meter.summary(1_000);
    expect(words).toBe(2);
    // In steps of some percent; the word that had begun was not late by what was added to it.
    expect(lagP95Ms).toBeGreaterThan(650);
    expect(lagP95Ms).toBeLessThan(800);
  });
});
