import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText, oneLine, own, screened } from '../../src/terminal/screened.js';
import { widthOf } from '../../src/terminal/width.js';

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom('\x1b', '\x00', '\x9b', '\u202e', '['), fc.string()),
});
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u;

describe('screened', () => {
  it('shows what a terminal would obey, in as many cells as it was counted for', () => {
    expect(screened('\x1b[2J\x07\x7f')).toBe('␛[2J␇␡');
    expect(screened('\x9b2J\u202eabc\u2069')).toBe('�2J�abc�');
    fc.assert(
      fc.property(anyText, (text) => {
        expect(screened(text)).not.toMatch(OBEYED);
        expect(widthOf(screened(text))).toBe(widthOf(text));
      }),
    );
  });

  it('leaves alone what is only text: lines, tabs, accents, joined and right-to-left letters', () => {
    const text = 'a\tb\nnaïve 聞き取り 👩‍👩‍👧 שלום \u200fa';
    expect(screened(text)).toBe(text);
  });

  it('lets sequences of our own through, and none that only looks like one', () => {
    expect(screened(`${own('\x1b[31m')}red \x1b[32m${own('\x1b[39m')}${own('\r')}`)).toBe(
      '\x1b[31mred ␛[32m\x1b[39m\r',
    );
    // The mark alone lets nothing through that is not a sequence as we use them.
    expect(screened(own('\x1b]0;title\x07'))).not.toMatch(OBEYED);
  });
});

describe('oneLine', () => {
  it('has no second line, however it was broken', () => {
    expect(oneLine('a\r\nb\vc\fd\u0085e\u2028f\u2029g\th')).toBe('a b c d e f g h');
  });
});

describe('jsonText', () => {
  it('can be read back as it was, and holds nothing that is obeyed', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(undefined, 2), (text, indent) => {
        const json = jsonText({ text }, indent);
        expect(json).not.toMatch(OBEYED);
        expect(JSON.parse(json)).toEqual({ text });
      }),
    );
  });
});
