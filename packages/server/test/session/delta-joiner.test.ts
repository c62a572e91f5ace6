import { ManualClock } from '@kikitori/core/manual-clock';
import { expect, it } from 'vitest';
import { DeltaJoiner } from '../../src/session/delta-joiner.js';
import type { Notice } from '../../src/session/state.js';

/** A word that ends there. */
function delta(text: string, endMs: number): Extract<Notice, { type: 'delta' }> {
  return { type: 'delta', text: ` ${text}`, audioMs: endMs, words: [{ text, startMs: endMs - 300, endMs }] };
}

const done = { type: 'done', text: '', samples: 0, tokens: 0, audioMs: 0 } as const;

it('a delta of several has all their words, and reaches as far as the last', () => {
  const sent: Notice[] = [];
  const joiner = new DeltaJoiner({
    clock: new ManualClock(),
    intervalMs: 2_000,
    charsMax: 1_000,
    isAhead: () => true,
    send: (notice) => sent.push(notice),
  });
  // The first one goes at once.
  joiner.push(delta('now', 400));
  joiner.push(delta('and', 800));
  joiner.push({ ...delta('then', 1_200), unsure: true });
  joiner.push(done);
  const words = [...delta('and', 800).words, ...delta('then', 1_200).words];
  expect(sent).toEqual([
    delta('now', 400),
    { type: 'delta', text: ' and then', audioMs: 1_200, words, unsure: true },
    done,
  ]);
});
