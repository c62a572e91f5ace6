import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headOf, widthOf, wrap } from '../../src/terminal/width.js';

describe('width', () => {
  it('counts cells, not code units: wide letters two, accents on letters none', () => {
    expect(widthOf('naïve')).toBe(5);
    expect(widthOf('nai\u0308ve')).toBe(5);
    expect(widthOf('聞き取り')).toBe(8);
    expect(widthOf('😀')).toBe(2);
  });

  it('cuts so that it fits, never through a wide letter', () => {
    expect(headOf('聞き取り', 5)).toBe('聞き');
    expect(headOf('abc', 10)).toBe('abc');
    expect(headOf('abc', 0)).toBe('');
  });

  it('breaks at spaces and cuts words that are longer than a row', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefgh ij', 3)).toEqual(['abc', 'def', 'gh', 'ij']);
    expect(wrap('', 5)).toEqual(['']);
  });

  it('keeps every letter in order and every row within its width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 2, max: 20 }), (text, cells) => {
        const rows = wrap(text, cells);
        expect(rows.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        expect(Math.max(...rows.map(widthOf))).toBeLessThanOrEqual(cells);
      }),
    );
  });
});
