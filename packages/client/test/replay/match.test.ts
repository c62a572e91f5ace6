import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PositionMatcher } from '../../src/replay/position-match.js';
import { TextMatcher } from '../../src/replay/text-match.js';

const WORDS = 'the ferry to island leaves at nine from pier four please have your tickets ready'.split(' ');

/** Words of 300 ms, one behind the other. */
function spoken(texts: readonly string[], fromMs = 0) {
  return texts.map((text, index) => ({
    text,
    startMs: fromMs + index * 300,
    endMs: fromMs + index * 300 + 250,
  }));
}

describe('PositionMatcher', () => {
  it('tells every word once, wherever the new connection begins and whatever it shifts', () => {
    fc.assert(
      fc.property(fc.nat(14), fc.nat(14), fc.integer({ min: -100, max: 100 }), (a, b, shiftMs) => {
        const words = spoken(WORDS);
        const [from, told] = [Math.min(a, b), Math.max(a, b)];
        const matcher = new PositionMatcher(words.slice(from, told));
        const again = words
          .slice(from)
          .map((word) => ({ ...word, startMs: word.startMs + shiftMs, endMs: word.endMs + shiftMs }));
        const fresh = again.filter((word) => matcher.judge(word) === 'new').map(({ text }) => text);
        expect(fresh).toEqual(WORDS.slice(told));
      }),
    );
  });

  it('takes a word that is heard otherwise this time for the one in its place', () => {
    const words = spoken(['the', 'ferry', 'leaves']);
    const matcher = new PositionMatcher(words);
    const again = spoken(['the', 'fairy', 'leaves', 'now']);
    expect(again.filter((word) => matcher.judge(word) === 'new').map(({ text }) => text)).toEqual(['now']);
  });

  it('does not mind case and punctuation', () => {
    const matcher = new PositionMatcher(spoken(['Ready.']));
    expect(matcher.judge(spoken(['ready,'])[0] ?? { text: '', startMs: 0, endMs: 0 }) === 'new').toBe(false);
    expect(matcher.isOver).toBe(true);
  });
});

describe('TextMatcher', () => {
  const said = WORDS.join(' ');

  /** What is new of `heard`, which comes in pieces of that length. */
  function fresh(matcher: TextMatcher, heard: string, pieceLength: number): string {
    let text = '';
    for (let at = 0; at < heard.length; at += pieceLength) {
      text += matcher.take(heard.slice(at, at + pieceLength));
    }
    return text + matcher.take('', true);
  }

  it('lets through what follows the told text, however it is cut', () => {
    fc.assert(
      fc.property(fc.nat(said.length), fc.integer({ min: 1, max: 30 }), (told, pieceLength) => {
        const matcher = new TextMatcher(said.slice(0, told), 1);
        expect(fresh(matcher, said, pieceLength)).toBe(said.slice(told));
        expect(matcher.isAmbiguous).toBe(false);
      }),
    );
  });

  it('finds its place where one word is heard otherwise', () => {
    const told = WORDS.slice(0, 9).join(' ');
    const heard = said.replace('ferry', 'fairy');
    const matcher = new TextMatcher(told, 1);
    expect(fresh(matcher, heard, 7)).toBe(said.slice(told.length));
  });

  it('finds its place where the audio begins in the middle of what was told', () => {
    const told = WORDS.slice(0, 10).join(' ');
    const heard = WORDS.slice(5).join(' ');
    const matcher = new TextMatcher(told, 0.5);
    expect(fresh(matcher, heard, 5)).toBe(said.slice(told.length));
    expect(matcher.isAmbiguous).toBe(false);
  });

  it('says that two texts do not fit', () => {
    const matcher = new TextMatcher(said, 1);
    fresh(matcher, 'nothing of this was ever told before by anybody here', 5);
    expect(matcher.isAmbiguous).toBe(true);
  });
});
