import { describe, expect, it } from 'vitest';
import { PieceWords } from '../../src/index.js';

/** Those that are whole, and where. */
function whole(
  pieces: Iterable<{ type: string; word: { written: string; startMs: number; endMs: number } }>,
) {
  return [...pieces].flatMap(({ type, word: { written, startMs, endMs } }) =>
    type === 'whole' ? [`${written.trim()}@${startMs}-${endMs}`] : [],
  );
}

describe('words made of pieces', () => {
  it('are whole when the next one begins, and end where their last piece came', () => {
    const words = new PieceWords();
    expect(whole(words.take(' Hel', 800))).toEqual([]);
    expect(whole(words.take('lo', 960))).toEqual([]);
    expect(whole(words.take(' wor', 1_200))).toEqual(['Hello@500-960']);
    expect(whole(words.finish())).toEqual(['wor@960-1200']);
    expect(whole(words.finish())).toEqual([]);
  });

  it('can be shown while they grow, with all space that was written in front of them', () => {
    const words = new PieceWords();
    expect(words.word).toBeUndefined();
    for (const delta of [' ', ' par', 'tial']) [...words.take(delta, 880)];
    expect(words.word).toEqual({ written: '  partial', startMs: 580, endMs: 880 });
    expect(words.quietDeltas).toBe(0);
  });

  it('begin neither in front of the first audio nor in the word before', () => {
    const words = new PieceWords(700);
    expect(whole(words.take(' one two', 800))).toEqual(['one@700-800']);
    expect(whole(words.finish())).toEqual(['two@800-800']);
  });
});
