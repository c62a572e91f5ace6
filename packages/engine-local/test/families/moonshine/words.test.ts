import { describe, expect, it } from 'vitest';
import { llamaPieces } from '../../../src/families/moonshine/llama-tokens.js';
import { decodeTokens } from '../../../src/families/moonshine/token-text.js';
import { vocabularyOf } from '../../../src/families/moonshine/words.js';

const pieces = llamaPieces();
const token = (piece: string): number => pieces.indexOf(piece);

/** Tokens of pieces, each 100 ms after the one before. */
function words(...spelled: string[]) {
  const tokens = spelled.map(token);
  expect(tokens).not.toContain(-1);
  const endMs = tokens.map((_, i) => (i + 1) * 100);
  const logProbabilities = tokens.map(() => -0.5);
  const entropies = tokens.map(() => 0.25);
  return vocabularyOf(pieces).words(tokens, { endMs, logProbabilities, entropies });
}

describe('tokens as text', () => {
  it('puts spaces where pieces begin words, joins bytes, and leaves special tokens out', () => {
    const tokens = [1, token('▁The'), token('▁ca'), token('f'), token('<0xC3>'), token('<0xA9>'), 2];
    expect(decodeTokens(pieces, tokens)).toBe(' The café');
  });
});

describe('tokens as words', () => {
  it('joins pieces, and ends a word where its last letters were heard, not its comma', () => {
    const [first, second] = words('▁break', 'fast', ',', '▁please');
    // Of all its tokens, the comma too.
    expect(first?.entropy).toBe(0.75);
    expect(first).toMatchObject({ text: 'breakfast,', endMs: 200 });
    expect(second).toMatchObject({ text: 'please', endMs: 400 });
  });

  it('gives a mark that stands alone to the word before it', () => {
    expect(words('▁house', '▁,', '▁in').map(({ text }) => text)).toEqual(['house,', 'in']);
  });

  it('keeps every token, so that the words can be forced again', () => {
    const found = words('▁house', '▁,', '▁in', '.');
    expect(found.flatMap(({ tokens }) => [...tokens])).toEqual(['▁house', '▁,', '▁in', '.'].map(token));
  });

  it('makes no word of a mark alone: it comes again with the next word', () => {
    expect(words('▁,')).toEqual([]);
    expect(words('▁,', '▁in').map(({ text }) => text)).toEqual(['in']);
  });

  it('puts no space around the apostrophe of a word that was said already, and no mark alone before one', () => {
    expect(words("▁'", '▁ear').map(({ text }) => text)).toEqual(['ear']);
    expect(words('▁-', '▁in').map(({ text }) => text)).toEqual(['in']);
    expect(words('▁ladies', "▁'", '▁ear').map(({ text }) => text)).toEqual(["ladies'", 'ear']);
    expect(words('▁$', '▁', '5').map(({ text }) => text)).toEqual(['$5']);
  });

  it('makes no word of nothing', () => {
    expect(words()).toEqual([]);
  });
});
