import type { KikitoriWord } from '@kikitori/protocol';
import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/replay/ledger.js';

const ledger = () => new Ledger({ words: true, partials: false });

/** So much audio was taken, and sent. */
const at = (ms: number) => ({ takenMs: ms, sentMs: ms });
const delta = (text: string) => ({ type: 'transcription.delta', delta: text }) as const;
const done = (text: string) => ({ type: 'transcription.done', text, usage: null }) as const;
const word = (text: string, start_ms: number): KikitoriWord => ({ text, start_ms, end_ms: start_ms + 300 });
const placed = (...words: readonly KikitoriWord[]) =>
  ({
    type: 'transcription.delta',
    delta: words.map(({ text }) => ` ${text}`).join(''),
    audio_ms: words.at(-1)?.end_ms ?? 0,
    words,
  }) as const;

describe('the end of a turn', () => {
  it("is in the server's own words where one connection heard all of it", () => {
    const told = ledger();
    told.begin(0, 0);
    told.take(delta(' Hello'), at(1_000));
    expect(told.finish(done(' Hello.'), 1_000, true)).toEqual([
      { type: 'done', text: ' Hello.', usage: null },
    ]);
  });

  it('is in the words that were told where another connection had to hear it again', () => {
    const told = ledger();
    told.begin(0, 0);
    told.take(delta(' Hello there'), at(1_000));
    told.begin(0, 1_000);
    told.take(delta(' hallo there'), at(1_500));
    told.take(delta(' all.'), at(2_000));
    const text = ' Hello there all.';
    expect(told.finish(done(' hallo there all.'), 2_000, true).at(-1)).toEqual({
      type: 'done',
      text,
      usage: null,
    });
    // The next turn is whole again.
    told.take(delta(' Yes'), at(3_000));
    expect(told.finish(done(' Yes!'), 3_000, true).at(-1)).toMatchObject({ text: ' Yes!' });
  });

  it('is in the words that were told where a part of it was lost', () => {
    const told = ledger();
    told.begin(0, 0);
    told.take(delta(' One'), at(1_000));
    told.skip(5_000);
    told.begin(5_000, 5_000);
    told.take(delta(' three'), at(6_000));
    expect(told.finish(done(' three'), 6_000, true).at(-1)).toMatchObject({ text: ' One three' });
  });

  it('is all that is told by a server that says everything at its end', () => {
    const told = ledger();
    told.begin(0, 0);
    expect(told.finish(done(' One'), 1_000, true)).toEqual([{ type: 'done', text: ' One', usage: null }]);
  });

  it('says no word again that was told with its place', () => {
    const told = ledger();
    told.begin(0, 0);
    told.take(placed(word('Hello', 100)), at(1_000));
    told.begin(0, 1_000);
    told.take(placed(word('Hello', 100), word('there', 500)), at(1_500));
    const text = ' Hello there';
    expect(told.finish(done(' Hello there'), 1_500, true)).toEqual([{ type: 'done', text, usage: null }]);
  });

  it('loses no word of a server that says everything at its end, when the turn is handed over', () => {
    const told = ledger();
    told.begin(0, 0);
    expect(told.finish(done(' One'), 1_000, false)).toEqual([{ type: 'delta', text: ' One' }]);
    told.begin(1_000, 1_000);
    expect(told.finish(done(' two'), 2_000, true)).toEqual([
      { type: 'delta', text: ' two' },
      { type: 'done', text: ' One two', usage: null },
    ]);
  });

  it('adds up what was counted on either side of a handover', () => {
    const told = ledger();
    const usage = { prompt_tokens: 1, total_tokens: 3, completion_tokens: 2, prompt_tokens_details: null };
    told.begin(0, 0);
    told.finish({ ...done(' One'), usage }, 1_000, false);
    told.begin(1_000, 1_000);
    const last = told.finish({ ...done(' two'), usage }, 2_000, true).at(-1);
    expect(last).toMatchObject({ usage: { totalTokens: 6 } });
  });
});

describe('an utterance', () => {
  it('is told as the server heard it where one connection heard all of it', () => {
    const told = ledger();
    told.begin(0, 0);
    told.take(placed(word('Hello', 100)), at(1_000));
    const heard = { type: 'kikitori.utterance', text: 'Hallo.', start_ms: 100, end_ms: 500 } as const;
    const words = [word('Hallo.', 100)];
    expect(told.take({ ...heard, words }, at(1_000))).toMatchObject([{ type: 'utterance', text: 'Hallo.' }]);
  });

  it('is made of the words that were told where it was heard again in other words', () => {
    const told = ledger();
    told.begin(0, 0);
    told.take(placed(word('Hello', 100)), at(1_000));
    told.begin(0, 1_000);
    told.take(placed(word('Hello', 100), word('there', 500)), at(1_500));
    const words = [word('Hallo', 100), word('there', 500)];
    const heard = { type: 'kikitori.utterance', text: 'Hallo there', start_ms: 100, end_ms: 900 } as const;
    expect(told.take({ ...heard, words }, at(1_500))).toMatchObject([
      { type: 'utterance', text: 'Hello there', startMs: 100, endMs: 800 },
    ]);
  });
});

describe('who begins to speak', () => {
  const onset = (startMs: number) => ({ type: 'kikitori.onset', start_ms: startMs }) as const;
  const closed = (startMs: number, endMs: number) =>
    ({ type: 'kikitori.utterance', text: '', start_ms: startMs, end_ms: endMs, words: [] }) as const;

  it('is no news over another connection where his utterance is over, or is being said', () => {
    const told = ledger();
    told.begin(0, 0);
    expect(told.take(onset(100), at(500))).toEqual([{ type: 'onset', startMs: 100 }]);
    told.take(closed(100, 900), at(1_500));
    told.begin(0, 1_500);
    expect(told.take(onset(100), at(1_500))).toEqual([]);
    expect(told.take(onset(1_200), at(1_500))).toEqual([{ type: 'onset', startMs: 1_200 }]);
    told.begin(1_000, 1_500);
    expect(told.take(onset(200), at(1_500))).toEqual([]);
  });
});

describe('a server whose deltas are counted', () => {
  /** So many steps, with words at some of them; each step when its audio has been sent. */
  function hear(told: Ledger, steps: Readonly<Record<number, string>>, count: number, fromMs = 0) {
    const events = [];
    for (let step = 1; step <= count; step += 1) {
      events.push(...told.take(delta(steps[step] ?? ''), at(fromMs + step * 80)));
    }
    return events;
  }
  const texts = (events: readonly { type: string; text?: string }[]): string =>
    events.map((event) => (event.type === 'delta' ? event.text : '')).join('');

  it('says how far each delta reaches, progress, and an utterance when nothing was said for 1.2 s', () => {
    const told = ledger();
    told.begin(0, 0);
    const events = hear(told, { 10: ' Hel', 11: 'lo', 14: ' you.' }, 29);
    expect(told.timing).toBe('counted');
    expect(events.filter((event) => event.type === 'delta').map(({ audioMs }) => audioMs)).toEqual(
      Array.from({ length: 29 }, (_, index) => (index + 1) * 80),
    );
    expect(events.filter((event) => event.type === 'utterance')).toEqual([
      {
        type: 'utterance',
        text: 'Hello you.',
        startMs: 500,
        endMs: 1_120,
        words: [
          { text: 'Hello', startMs: 500, endMs: 880 },
          { text: 'you.', startMs: 880, endMs: 1_120 },
        ],
      },
    ]);
    expect(events.filter((event) => event.type === 'progress').at(-1)).toMatchObject({ settledMs: 2_320 });
  });

  it('goes on with a word of which a part was told when the connection was lost', () => {
    const told = ledger();
    told.begin(0, 0);
    hear(told, { 5: ' One', 10: ' Kiki' }, 11);
    told.begin(0, 880);
    const events = hear(told, { 5: ' One', 10: ' Kiki', 11: 'tori', 13: ' two' }, 14);
    expect(texts(events)).toBe('tori two');
  });

  it('says of a word that had to wait where it ended, not how far the server is by then', () => {
    const told = ledger();
    told.begin(0, 0);
    hear(told, { 5: ' One', 12: ' two' }, 13);
    told.begin(0, 1_040);
    // The second is not heard again, and the next one is judged when it is whole, a second later.
    const events = hear(told, { 5: ' One', 14: ' three' }, 30);
    expect(events.filter((event) => event.type === 'delta' && event.text !== '')).toEqual([
      { type: 'delta', text: ' three', audioMs: 1_120 },
    ]);
  });

  it('leaves words behind a seam to the next turn, and says none twice', () => {
    const told = ledger();
    told.begin(0, 0);
    hear(told, { 5: ' one', 12: ' two' }, 20);
    told.hold(1_700);
    const before = hear(told, { 1: ' three', 6: ' fou' }, 10, 1_600);
    const after = [
      ...told.rollOver(done(''), 2_400, 800),
      ...hear(told, { 5: ' two', 11: ' three', 16: ' four' }, 20, 800),
    ];
    expect([texts(before), texts(after)]).toEqual([' three', ' four']);
  });

  it('begins a turn so that a word which is heard otherwise this time ends where it ended', () => {
    const told = ledger();
    told.begin(0, 0);
    /** The step in which a server says what was spoken up to there. */
    const stepAt = (ms: number, originMs: number): number => Math.ceil((ms - originMs) / 80);
    hear(told, { [stepAt(390, 0)]: ' one', [stepAt(950, 0)]: ' two' }, 15);
    const originMs = told.align(830);
    const events = [
      ...told.rollOver(done(''), 1_200, originMs),
      ...hear(told, { [stepAt(950, originMs)]: ' too', [stepAt(1_500, originMs)]: ' three' }, 20, originMs),
    ];
    expect(texts(events)).toBe(' three');
  });

  it('says no word twice that comes a third time, nor loses one that is said again', () => {
    const told = ledger();
    told.begin(0, 0);
    hear(told, { 5: ' no', 12: ' no' }, 15);
    // The connection is lost; on the next one the turn is cut before all has come again.
    told.begin(0, 1_200);
    const second = hear(told, { 5: ' no' }, 18);
    const third = [
      ...told.rollOver(done(''), 1_440, 80),
      ...hear(told, { 4: ' no', 11: ' no', 20: ' no' }, 32, 80),
    ];
    expect([texts(second), texts(third)]).toEqual(['', ' no']);
  });

  it('waits for no word that came again in front of the end of a turn', () => {
    const told = ledger();
    told.begin(0, 0);
    hear(told, { 5: ' no', 12: ' no', 16: ' no' }, 18);
    told.begin(0, 1_440);
    // Its audio ends in the middle of a step.
    const second = [];
    for (let step = 1; step <= 12; step += 1) {
      const said = step === 5 || step === 12 ? ' no' : '';
      second.push(...told.take(delta(said), at(Math.min(step * 80, 950))));
    }
    const third = [...told.rollOver(done(''), 950, 950), ...hear(told, { 5: ' no', 9: ' no' }, 21, 950)];
    expect([texts(second), texts(third)]).toEqual(['', ' no']);
  });

  it.each([
    { said: ['One', 'two', 'three'], told: 'One two three' },
    { said: [' One', ' two', ' three'], told: ' One two three' },
    { said: ['一', '二', '三'], told: '一二三' },
  ])('keeps $said apart, each of a turn of its own, as it is written', ({ said, told: expected }) => {
    const told = ledger();
    const [first = '', second = '', third = ''] = said;
    told.begin(0, 0);
    const events = [
      ...hear(told, { 5: first }, 20),
      ...told.finish(done(''), 1_600, false),
      ...hear(told, { 5: second }, 20, 1_600),
    ];
    told.begin(2_800, 3_200);
    events.push(...hear(told, { 5: third }, 20, 2_800), ...told.finish(done(''), 4_400, true));
    expect(texts(events)).toBe(expected);
    expect(events.at(-1)).toMatchObject({ type: 'done', text: expected });
    const utterances = events.flatMap((event) => (event.type === 'utterance' ? [event.text] : []));
    expect(utterances).toEqual(said.map((text) => text.trim()));
    expect(texts(hear(told, { 5: 'Four' }, 20, 4_400))).toBe('Four');
  });

  it('is believed no more when it says more than there is audio', () => {
    const told = ledger();
    told.begin(0, 0);
    for (let step = 0; step < 60; step += 1) told.take(delta(''), at(100));
    expect(told.timing).toBeUndefined();
  });
});
