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
