import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SubtitleUtterance, subtitleUtterance, toPlainText, toSrt, toVtt } from '../src/subtitles.js';

/** Words of one utterance at an even pace: 60 ms a character, 60 ms between words. */
function spoken(text: string, startMs: number): SubtitleUtterance {
  let at = startMs;
  const words = text.split(' ').map((word) => {
    const start = at;
    at += 60 * word.length + 60;
    return { text: word, startMs: start, endMs: at - 60 };
  });
  return { startMs, endMs: at - 60, words };
}

const SPEECH = [
  spoken('Good morning.', 500),
  spoken(
    'The committee, which met on Tuesday for the first time since March, agreed to publish every one of the figures and to answer questions at the end of the week.',
    3_000,
  ),
  spoken('Is 3 < 5 & 7 > 6?', 3_599_400),
  spoken('Yes --> it is.', 360_000_000),
];

describe('golden files', () => {
  it.each([
    ['speech.srt', toSrt(SPEECH)],
    ['speech.vtt', toVtt(SPEECH)],
    ['speech.txt', toPlainText(SPEECH)],
    ['narrow.srt', toSrt(SPEECH, { lineCharactersMax: 20, linesMax: 1, cueMsMax: 2_000, cueMsMin: 0 })],
  ])('%s', (file, written) => {
    expect(written).toBe(readFileSync(join(import.meta.dirname, 'vectors', 'subtitles', file), 'utf8'));
  });
});

it('no form holds what a terminal or a player would obey, or a second line that was not cut here', () => {
  const evil = '\x1b[2Jone\x07\x9b2J two\u202e\u2066three\n\n1\n00:00:00,000 --> 00:00:09,000\nfour';
  const inOne = [{ text: evil, startMs: 0, endMs: 900, words: [] }];
  const inWords = [{ startMs: 0, endMs: 900, words: [{ text: evil, startMs: 0, endMs: 900 }] }];
  for (const said of [inOne, inWords]) {
    for (const text of [toSrt(said), toVtt(said), toPlainText(said)]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    }
    expect(toPlainText(said)).toBe('[2Jone 2J twothree 1 00:00:00,000 --> 00:00:09,000 four\n');
    expect(toSrt(said).match(/^\d+$/gm)).toEqual(['1']);
  }
});

it('nothing said gives empty text, and a WebVTT file that is valid', () => {
  const nothing = [{ startMs: 0, endMs: 900, words: [] }];
  expect([toSrt([]), toSrt(nothing), toPlainText(nothing), toVtt([]), toVtt(nothing)]).toStrictEqual([
    '',
    '',
    '',
    'WEBVTT\n\n',
    'WEBVTT\n\n',
  ]);
});

it('line breaks inside a word cannot end a cue', () => {
  const utterance = {
    startMs: 0,
    endMs: 2_000,
    words: [{ text: ' a\n\n2\u0000b\r', startMs: 0, endMs: 2_000 }],
  };
  expect(toSrt([utterance])).toBe('1\n00:00:00,000 --> 00:00:02,000\na 2 b\n\n');
  expect(toVtt([utterance])).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:02.000\na 2 b\n\n');
});

it('the wire’s utterance becomes captions', () => {
  const utterance = subtitleUtterance({
    type: 'kikitori.utterance',
    text: 'Two words',
    start_ms: 100,
    end_ms: 2_000,
    words: [
      { text: 'Two', start_ms: 120, end_ms: 400 },
      { text: 'words', start_ms: 420, end_ms: 1_900 },
    ],
  });
  expect(toSrt([utterance])).toBe('1\n00:00:00,120 --> 00:00:01,900\nTwo words\n\n');
  expect(toPlainText([utterance])).toBe('Two words\n');
});

describe('a label', () => {
  const call = [
    { ...spoken('Good morning.', 500), label: 'Caller <1>' },
    { ...spoken('How can I help?', 3_000), label: 'Agent' },
    spoken('Nobody knows who.', 6_000),
  ];

  it('says whose words they are, in every form', () => {
    expect(toSrt(call)).toMatch(
      /\nCaller <1>: Good morning\.\n\n2\n.*\nAgent: How can I help\?\n\n3\n.*\nNobody/,
    );
    expect(toVtt(call)).toMatch(/\n<v Caller &lt;1&gt;>Good morning\.\n.*\n?.*\n<v Agent>How can I help\?\n/);
    expect(toPlainText(call)).toBe('Caller <1>: Good morning.\nAgent: How can I help?\nNobody knows who.\n');
  });

  it('holds nothing that a terminal or a player would obey', () => {
    const evil = [{ ...spoken('one', 0), label: '\x1b[2J\n00:00:00,000 --> 00:00:09,000\u202e' }];
    for (const form of [toSrt(evil), toVtt(evil), toPlainText(evil)]) {
      expect(form.includes('\x1b') || form.includes('\u202e')).toBe(false);
      expect(form.match(/-->/g)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  });
});
