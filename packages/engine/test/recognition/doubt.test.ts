import { describe, expect, it } from 'vitest';
import type { Hypothesis } from '../../src/index.js';
import { Doubt, type DoubtRule } from '../../src/recognition/doubt.js';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';
import { Scene, speak } from './scene.js';

const rule: DoubtRule = { tokenEntropy: 1, wordEvidenceMax: 2, evidenceMin: 2, earlyShare: 0.5 };
/** Words of one token each. */
const words = (...entropies: number[]) =>
  entropies.map((entropy) => ({ entropy, tokens: [7], endMs: 1_000 }));

describe('the doubt about an utterance', () => {
  it('grows with words at which the model is undecided, and needs more than one of them', () => {
    const doubt = new Doubt(rule);
    doubt.add(words(9));
    expect(doubt.mark).toEqual({});
    doubt.add(words(1.1));
    expect(doubt.mark).toEqual({ unsure: true });
  });

  it('counts every token of a word', () => {
    const doubt = new Doubt(rule);
    doubt.add([{ entropy: 3, tokens: [7, 8, 9], endMs: 1_000 }]);
    doubt.add(words(2.9));
    expect(doubt.mark).toEqual({});
    doubt.add(words(1.2));
    expect(doubt.mark).toEqual({ unsure: true });
  });

  it('grows less with words that were said before much was heard behind them', () => {
    const doubt = new Doubt(rule);
    doubt.add(words(3, 3), 2_000);
    expect(doubt.mark).toEqual({});
    doubt.add(words(1.1), 9_000);
    expect(doubt.mark).toEqual({ unsure: true });
  });

  it('shrinks with words that it hears well', () => {
    const doubt = new Doubt(rule);
    doubt.add(words(2, 1.9, 0.1, 0.1));
    doubt.add(words(2.9));
    expect(doubt.mark).toEqual({});
  });

  it('stays to the end of the utterance once it was told, and not longer', () => {
    const doubt = new Doubt(rule);
    doubt.add(words(3, 3));
    doubt.add(words(0, 0, 0, 0, 0, 0, 0, 0));
    expect(doubt.mark).toEqual({ unsure: true });
    doubt.end();
    expect(doubt.mark).toEqual({});
    doubt.add(words(2.9));
    expect(doubt.mark).toEqual({});
  });

  it('is not there for a model that was not measured', () => {
    const doubt = new Doubt(undefined);
    doubt.add(words(9, 9, 9, 9));
    expect(doubt.mark).toEqual({});
  });
});

/** What is marked, in order: `words` and `utterance`, with a mark or without. */
function marks(said: readonly Hypothesis[]): string[] {
  return said.flatMap((hypothesis) =>
    hypothesis.type === 'words' || hypothesis.type === 'utterance'
      ? [`${hypothesis.type}${hypothesis.unsure === true ? '?' : ''}`]
      : [],
  );
}

describe('a stream', () => {
  it('marks words while the utterance is still open, then the utterance, and withholds none', () => {
    const spoken = speak([
      ...Array.from({ length: 12 }, (_, i) => ({ gapMs: i === 0 ? 400 : 0, lengthMs: 400 })),
      ...Array.from({ length: 4 }, (_, i) => ({ gapMs: i === 0 ? 1500 : 0, lengthMs: 400 })),
    ]);
    const scene = new Scene(spoken, 'live', false, DEFAULT_POLICY, rule);
    const doubtful = 12 * 400 + 400 + 1000;
    for (let fed = 0; fed < 9_000; fed += 100) {
      scene.entropy = fed < doubtful ? 2.5 : 0.1;
      scene.feed(100);
      scene.work();
    }
    scene.recogniser.flush(1);
    scene.work();
    expect(scene.text).toEqual(scene.expected);
    const [first = '', second = ''] = marks(scene.said)
      .join(' ')
      .split(/(?<=utterance\??) /);
    expect(first).toMatch(/^words .*words\? .*utterance\?$/);
    expect(second).toMatch(/^words .*utterance$/);
    expect(second).not.toContain('?');
  });

  it.each([
    ['live', 1, true],
    ['live', 0, false],
    ['batch', 0, true],
  ] as const)('%s counts words said early by their share, %d: marked %s', (mode, earlyShare, isMarked) => {
    const spoken = speak(Array.from({ length: 12 }, (_, i) => ({ gapMs: i === 0 ? 400 : 0, lengthMs: 400 })));
    const scene = new Scene(spoken, mode, false, DEFAULT_POLICY, { ...rule, earlyShare });
    // Undecided in the first half, of which nothing is left to be said when the speech has ended.
    for (let fed = 0; fed < 7_000; fed += 100) {
      scene.entropy = fed < 2_800 || mode === 'batch' ? 2.5 : 0.9;
      scene.feed(100);
      scene.work();
    }
    scene.recogniser.flush(1);
    scene.work();
    expect(marks(scene.said).some((mark) => mark.endsWith('?'))).toBe(isMarked);
  });
});
