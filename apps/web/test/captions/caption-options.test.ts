import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCaptionOptions } from '../../src/captions/caption-options.js';
import { gapBetween } from '../../src/captions/caption-wording.js';

const ROOM = readCaptionOptions('');
const OVERLAY = readCaptionOptions('?view=overlay');

describe('the query string of captions', () => {
  it('says nothing: a room; an overlay has two outlined lines that go after a pause', () => {
    expect(ROOM).toMatchObject({ view: 'room', clearMs: 0, outlinePx: 0, widthPercent: 100, theme: 'auto' });
    expect(OVERLAY).toMatchObject({ lines: 2, clearMs: 6_000, outlinePx: 3, widthPercent: 80, delayMs: 0 });
  });

  it('sets everything that docs/captions.md lists', () => {
    const query =
      '?view=overlay&lines=3&size=48&color=fff&background=none&box=000000b3&outline=0&outlinecolor=%23123456&font=serif&weight=700' +
      '&align=center&position=top&width=60&delay=2.5&clear=0&theme=contrast&unstable=0&uppercase=1&announce=0&lang=ja&sample=1';
    expect(readCaptionOptions(query)).toEqual({
      view: 'overlay',
      lines: 3,
      sizePx: 48,
      color: '#fff',
      background: 'transparent',
      box: '#000000b3',
      outlinePx: 0,
      outlineColor: '#123456',
      font: expect.stringContaining('Georgia'),
      weight: 700,
      align: 'center',
      position: 'top',
      widthPercent: 60,
      delayMs: 2_500,
      clearMs: 0,
      theme: 'contrast',
      showsUnstable: false,
      isUppercase: true,
      announces: false,
      language: 'ja',
      isSample: true,
    });
  });

  it.each([
    'lines=0',
    'lines=13',
    'lines=two',
    'size=9',
    'size=1e9',
    'color=red;}',
    'color=12345',
    'box=url(//evil.example)',
    'outline=-1',
    'font=x;}*{display:none',
    'font=',
    'font="',
    'weight=950',
    'align=justify',
    'position=left',
    'width=0',
    'delay=61',
    'clear=3601',
    'theme=pink',
    'lang=fr',
    'nothing=1',
  ])('is not broken by %s', (query) => {
    expect(readCaptionOptions(`?${query}`)).toEqual(ROOM);
    expect(readCaptionOptions(`?view=overlay&${query}`)).toEqual(OVERLAY);
  });

  it('takes the name of a font that is installed, in quotes', () => {
    expect(readCaptionOptions('?font=Atkinson%20Hyperlegible').font).toMatch(/^"Atkinson Hyperlegible", /);
  });

  it('never leads to anything but a colour, a number or a font in quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (one, other) => {
        const options = readCaptionOptions(
          new URLSearchParams({
            color: one,
            background: other,
            box: one,
            font: one,
            outlinecolor: other,
          }).toString(),
        );
        for (const color of [options.color, options.background, options.box, options.outlineColor]) {
          expect(color ?? '#000').toMatch(/^(#[0-9a-f]{3,8}|transparent)$/i);
        }
        expect(options.font ?? '').not.toMatch(/[;{}()<>\\]/);
      }),
    );
  });
});

describe('words that follow each other', () => {
  it.each([
    ['The ferry', 'leaves', ' '],
    ['The ferry ', 'leaves', ''],
    ['The ferry', ' leaves', ''],
    ['', 'leaves', ''],
    ['The ferry', '', ''],
    ['一度だけ例外が', 'ありました', ''],
    ['です。', 'Hello', ''],
    ['안녕하세요', '여러분', ' '],
  ])('have a space between them where the script has spaces: %j %j', (before, after, gap) => {
    expect(gapBetween(before, after)).toBe(gap);
  });
});
