import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnclearRepetition, loopStart } from '../../src/recognition/repetition.js';

/** Where a decoder that stays in one place begins to loop. */
const stuck = (tokens: readonly number[]): number => {
  return loopStart(
    tokens,
    tokens.map(() => 700),
  );
};

describe('loops of the decoder', () => {
  it('are cut behind the first saying', () => {
    expect(stuck([5, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2])).toBe(3);
    expect(stuck([9, 7, 7, 7, 7, 7])).toBe(2);
    expect(stuck([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5])).toBe(5);
  });

  it('may be cut off in the middle of a round', () => {
    expect(stuck([5, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1])).toBe(4);
  });

  it('are not what people say and then go on: "no no no no, I do not want it", a row of equal digits', () => {
    expect(stuck([7, 7, 7, 7, 7, 1, 2, 3])).toBe(8);
  });

  it('are not what people say: "no no no", a phrase said twice', () => {
    expect(stuck([7, 7, 7, 1])).toBe(4);
    expect(stuck([1, 2, 3, 1, 2, 3, 4])).toBe(7);
    expect(stuck([])).toBe(0);
  });

  it('are not what is heard at a later moment each time, though one was placed where the last one was', () => {
    expect(loopStart([9, 7, 7, 7, 7, 7], [100, 400, 700, 1000, 1300, 1600])).toBe(6);
    expect(loopStart([9, 7, 7, 7, 7, 7], [100, 400, 700, 700, 1300, 1600])).toBe(6);
    const [phrase, times] = [[1, 2, 3, 4, 5], 3];
    const tokens = Array.from({ length: times }, () => phrase).flat();
    expect(
      loopStart(
        tokens,
        tokens.map((_, i) => 250 * i),
      ),
    ).toBe(15);
  });

  it('are cut where they stay in one place or look back, with the leap that led there', () => {
    expect(loopStart([9, 7, 7, 7, 7, 7, 7, 7], [100, 400, 700, 1900, 1900, 1910, 1900, 1900])).toBe(3);
    expect(loopStart([9, 7, 7, 7, 7, 7, 7, 7], [100, 400, 1400, 20, 20, 410, 20, 20])).toBe(2);
  });

  it('are always found, whatever phrase repeats and wherever it begins', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 16 }),
        fc.integer({ min: 4, max: 9 }),
        (phrase, times) => {
          const tokens = [2000, 2001, ...Array.from({ length: times }, () => phrase).flat()];
          expect(stuck(tokens)).toBe(2 + phrase.length);
        },
      ),
    );
  });
});

describe('a phrase said over and over', () => {
  const said = (...endMs: readonly number[]) =>
    endMs.map((ms, i) => ({ text: i === 0 ? 'Five,' : 'five', endMs: ms }));
  /** Somebody who never pauses. */
  const always = (fromMs: number, toMs: number): number => toMs - fromMs;

  it('is clear where each round has a sound of its own, and about as much of it', () => {
    expect(isUnclearRepetition(said(400, 900, 1350, 1900, 2400), always)).toBe(false);
  });

  it('is unclear where one has none, or speech enough for two', () => {
    expect(isUnclearRepetition(said(400, 900, 910, 1900, 2400), always)).toBe(true);
    expect(isUnclearRepetition(said(400, 900, 1400, 2400, 2900), always)).toBe(true);
  });

  it('is clear where a round is long for a pause', () => {
    const quiet = (fromMs: number, toMs: number): number => Math.min(500, toMs - fromMs);
    expect(isUnclearRepetition(said(400, 900, 1400, 2400, 2900), quiet)).toBe(false);
  });

  it('is nothing else that was said', () => {
    expect(isUnclearRepetition([...said(400, 900, 910, 910), { text: 'minutes', endMs: 2000 }], always)).toBe(
      false,
    );
  });
});
