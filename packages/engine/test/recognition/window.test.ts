import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';
import { Window } from '../../src/recognition/window.js';
import { Lexicon } from './lexicon.js';

const vocabulary = new Lexicon();
/** Nothing the model says here is sure enough to be said for that alone. */
const UNSURE = -1;

/** What a window says after each of these hypotheses, a word every 300 ms, one second of audio more each time. */
function said(...hypotheses: readonly (readonly string[])[]): string[][] {
  const window = new Window(0);
  return hypotheses.map((words, i) => {
    const ids = words.flatMap((word) => word.split('|').map((piece) => vocabulary.token(piece)));
    const ends = words.flatMap((word, at) => word.split('|').map(() => 300 * (at + 1)));
    const tokens = ids.slice(window.prefix.length);
    const logProbabilities = tokens.map(() => UNSURE);
    const edge = (1000 + i * 320) * 16;
    const result = { tokens, logProbabilities, entropies: [], endMs: ends, ended: true };
    return window.take(result, edge, false, DEFAULT_POLICY, vocabulary).map(({ text }) => text);
  });
}

describe('a window', () => {
  it('says a word that two hypotheses in a row agree on, and not the last one, which may still grow', () => {
    expect(said(['▁the', '▁water'], ['▁the', '▁water'])).toEqual([[], ['the']]);
    expect(said(['▁the', '▁water'], ['▁a', '▁water'], ['▁the', '▁water'])).toEqual([[], [], []]);
  });

  it('says nothing at once that it heard in a pause, however often: the context echoes', () => {
    const window = new Window(0);
    const ids = ['▁for', '▁minutes'].map((piece) => vocabulary.token(piece));
    const hear = (endMs: readonly number[], edgeMs: number, whole = false) => {
      const tokens = ids.slice(0, endMs.length - window.prefix.length);
      const result = {
        tokens,
        logProbabilities: tokens.map(() => 0),
        entropies: [],
        endMs: [...endMs],
        ended: true,
      };
      return window.take(result, edgeMs * 16, whole, DEFAULT_POLICY, vocabulary).map(({ text }) => text);
    };
    expect(hear([500, 900], 1000, true)).toEqual(['for', 'minutes']);
    expect(window.carry(1800 * 16, DEFAULT_POLICY.carryContextMs)).toBe(true);
    const echo = [500, 900, 1200, 1400];
    for (const edgeMs of [2400, 2700, 3000, 4700]) expect(hear(echo, edgeMs)).toEqual([]);
    // Not for ever: it may have been a word after all.
    expect(hear(echo, 4900)).toEqual(['for']);
  });

  it('takes a word for the same however it is written, and writes it as heard last', () => {
    expect(said(['▁the|,', '▁water'], ['▁The', '▁water'])).toEqual([[], ['The']]);
    expect(said(['▁the', '▁water'], ['▁The|.', '▁water'])).toEqual([[], ['The.']]);
    expect(said(['▁the', '▁water'], ['▁them', '▁water'])).toEqual([[], []]);
  });
});
