import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CUE_RULES, type CueRules, cuesOf, type SubtitleUtterance } from '../src/cues.js';

const utterance: fc.Arbitrary<SubtitleUtterance> = fc
  .array(
    fc.record({
      text: fc.oneof(fc.stringMatching(/^[a-zé日]{1,12}[.,?]?$/u), fc.stringMatching(/^[a-z]{30,60}$/)),
      gapMs: fc.oneof(fc.nat(200), fc.nat(4_000)),
      lengthMs: fc.integer({ min: 1, max: 1_500 }),
    }),
    { maxLength: 80 },
  )
  .map((parts) => {
    let at = 0;
    const words = parts.map(({ text, gapMs, lengthMs }) => {
      const startMs = at + gapMs;
      at = startMs + lengthMs;
      return { text, startMs, endMs: at };
    });
    return { startMs: 0, endMs: at, words };
  });

const rules: fc.Arbitrary<CueRules> = fc.record({
  lineCharactersMax: fc.integer({ min: 10, max: 60 }),
  linesMax: fc.integer({ min: 1, max: 4 }),
  cueMsMin: fc.integer({ min: 0, max: 1_500 }),
  cueMsMax: fc.integer({ min: 1_500, max: 9_000 }),
  pauseMsMax: fc.integer({ min: 500, max: 5_000 }),
});

it('every word is on the screen once, in order', () => {
  fc.assert(
    fc.property(utterance, rules, (speech, given) => {
      const shown = cuesOf([speech], given).flatMap((cue) => cue.lines.flatMap((line) => line.split(' ')));
      expect(shown).toStrictEqual(speech.words.map((word) => word.text));
    }),
  );
});

it('lines and their number keep the rules, but for a word longer than a line', () => {
  fc.assert(
    fc.property(utterance, rules, (speech, given) => {
      for (const { lines } of cuesOf([speech], given)) {
        expect(lines.length).toBeGreaterThan(0);
        expect(lines.length).toBeLessThanOrEqual(given.linesMax);
        for (const line of lines) {
          if (line.includes(' ')) expect([...line].length).toBeLessThanOrEqual(given.lineCharactersMax);
        }
      }
    }),
  );
});

it('cues are in order, never overlap, never last longer than allowed, and are never empty', () => {
  fc.assert(
    fc.property(utterance, rules, (speech, given) => {
      let untilMs = 0;
      for (const cue of cuesOf([speech], given)) {
        expect(cue.startMs).toBeGreaterThanOrEqual(untilMs);
        expect(cue.endMs).toBeGreaterThan(cue.startMs);
        expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(given.cueMsMax);
        untilMs = cue.endMs;
      }
    }),
  );
});

it('a cue ends behind a full stop, else behind a comma or at a pause, before it ends anywhere else', () => {
  const firstLine = (marks: readonly string[], pauseAfter = -1) => {
    let at = 0;
    const words = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'dddddddd', 'eeeeeeee', 'ffffffff'].map(
      (text, index) => {
        const startMs = at;
        at += index === pauseAfter ? 1_000 : 600;
        return { text: text + (marks[index] ?? ''), startMs, endMs: startMs + 600 };
      },
    );
    const rules = { lineCharactersMax: 38, linesMax: 1, cueMsMin: 0 };
    return cuesOf([{ startMs: 0, endMs: at, words }], rules)[0]?.lines[0]?.split(' ').length;
  };
  expect(firstLine(['', '.', ',', ''])).toBe(2);
  expect(firstLine(['', '', ',', ''])).toBe(3);
  expect(firstLine(['', ',', '', ''])).toBe(2);
  expect(firstLine([], 2)).toBe(3);
  expect(firstLine([], 1)).toBe(2);
});

it('a short cue stays for the least time where the next one leaves room', () => {
  const word = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 200 });
  const alone = (startMs: number) => ({ startMs, endMs: startMs + 200, words: [word('Yes.', startMs)] });
  expect(cuesOf([alone(0), alone(400), alone(5_000)]).map((cue) => [cue.startMs, cue.endMs])).toStrictEqual([
    [0, 400],
    [400, 1_400],
    [5_000, 6_000],
  ]);
});

it('a pause ends a cue at the bound and not before', () => {
  const cuesAt = (pauseMs: number) =>
    cuesOf([
      {
        startMs: 0,
        endMs: 0,
        words: [
          { text: 'one', startMs: 0, endMs: 1_000 },
          { text: 'two', startMs: 1_000 + pauseMs, endMs: 1_500 + pauseMs },
        ],
      },
    ]).length;
  const { pauseMsMax } = CUE_RULES;
  expect([pauseMsMax - 1, pauseMsMax, pauseMsMax + 1].map(cuesAt)).toStrictEqual([1, 2, 2]);
});

it('a line takes exactly its longest length and not one more', () => {
  const linesOf = (characters: number) =>
    cuesOf([
      {
        startMs: 0,
        endMs: 2_000,
        words: [
          { text: 'a', startMs: 0, endMs: 1_000 },
          { text: 'b'.repeat(characters - 2), startMs: 1_000, endMs: 2_000 },
        ],
      },
    ])[0]?.lines.length;
  const { lineCharactersMax } = CUE_RULES;
  expect([lineCharactersMax - 1, lineCharactersMax, lineCharactersMax + 1].map(linesOf)).toStrictEqual([
    1, 1, 2,
  ]);
});

it('without words the text shares the time by its length', () => {
  const cues = cuesOf([{ text: 'Hello there. General.', startMs: 1_000, endMs: 3_200, words: [] }], {
    lineCharactersMax: 12,
    linesMax: 1,
  });
  expect(cues).toStrictEqual([
    { startMs: 1_000, endMs: 2_300, lines: ['Hello there.'] },
    { startMs: 2_300, endMs: 3_300, lines: ['General.'] },
  ]);
});

it('times that are no times become zero', () => {
  const cues = cuesOf([
    { startMs: 0, endMs: 0, words: [{ text: 'a', startMs: Number.NaN, endMs: Number.POSITIVE_INFINITY }] },
    { startMs: 0, endMs: 0, words: [{ text: 'b', startMs: -5, endMs: 10.4 }] },
  ]);
  expect(cues).toStrictEqual([
    { startMs: 0, endMs: 1_000, lines: ['a'] },
    { startMs: 0, endMs: 1_000, lines: ['b'] },
  ]);
});

it('an hour without a pause or a full stop is cut in bounded work', () => {
  const words = Array.from({ length: 12_000 }, (_, index) => ({
    text: 'word',
    startMs: index * 300,
    endMs: index * 300 + 300,
  }));
  const cues = cuesOf([{ startMs: 0, endMs: 3_600_000, words }]);
  expect(cues.length).toBeGreaterThan(500);
  expect(cues.length).toBeLessThan(1_200);
});

it('rules out of bounds are refused', () => {
  for (const bad of [
    { lineCharactersMax: 9 },
    { linesMax: 0 },
    { cueMsMin: 8_000 },
    { pauseMsMax: Number.NaN },
  ]) {
    expect(() => cuesOf([], bad)).toThrow(RangeError);
  }
});

it('a cue makes way for the next one of its own voice alone, and all are in order', () => {
  const said = (label: string, startMs: number, text: string) => {
    const words = text.split(' ').map((word, at) => {
      return { text: word, startMs: startMs + at * 500, endMs: startMs + at * 500 + 500 };
    });
    return { label, startMs, endMs: startMs + words.length * 500, words };
  };
  const cues = cuesOf([
    said('Agent', 200, 'Eight of spades. Seven of hearts.'),
    said('Caller', 500, 'Go.'),
    said('Caller', 900, 'Stop.'),
  ]);
  expect(cues.map(({ label, startMs, endMs, lines }) => [label, startMs, endMs, lines.join(' ')])).toEqual([
    ['Agent', 200, 3_200, 'Eight of spades. Seven of hearts.'],
    ['Caller', 500, 900, 'Go.'],
    ['Caller', 900, 1_900, 'Stop.'],
  ]);
});
