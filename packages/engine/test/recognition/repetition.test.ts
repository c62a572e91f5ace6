import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loopStart } from '../../src/recognition/repetition.js';

describe('loops of the decoder', () => {
  it('are cut behind the first saying', () => {
    expect(loopStart([5, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2])).toBe(3);
    expect(loopStart([9, 7, 7, 7, 7, 7])).toBe(2);
    expect(loopStart([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5])).toBe(5);
  });

  it('may be cut off in the middle of a round', () => {
    expect(loopStart([5, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1])).toBe(4);
  });

  it('are not what people say and then go on: "no no no no, I do not want it", a row of equal digits', () => {
    expect(loopStart([7, 7, 7, 7, 7, 1, 2, 3])).toBe(8);
  });

  it('are not what people say: "no no no", a phrase said twice', () => {
    expect(loopStart([7, 7, 7, 1])).toBe(4);
    expect(loopStart([1, 2, 3, 1, 2, 3, 4])).toBe(7);
    expect(loopStart([])).toBe(0);
  });

  it('are always found, whatever phrase repeats and wherever it begins', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 16 }),
        fc.integer({ min: 4, max: 9 }),
        (phrase, times) => {
          const tokens = [2000, 2001, ...Array.from({ length: times }, () => phrase).flat()];
          expect(loopStart(tokens)).toBe(2 + phrase.length);
        },
      ),
    );
  });
});
