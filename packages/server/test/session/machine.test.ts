import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TABLE } from '../../src/session/machine.js';
import type { Input, State } from '../../src/session/state.js';
import { brief, Harness, notices, pcm, word } from './machine-harness.js';

/** The table of the file's header: state → input → what the cell says. */
function documentedTable(): Map<string, Map<string, string>> {
  const source = readFileSync(new URL('../../src/session/machine.ts', import.meta.url), 'utf8');
  const rows = source
    .split('\n')
    .filter((line) => line.startsWith(' * |') && !line.includes('---'))
    .map((line) =>
      line
        .slice(4, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const [header = [], ...body] = rows;
  return new Map(
    body.map(([state = '', ...cells]) => [
      state,
      new Map(cells.map((cell, column) => [header[column + 1] ?? '', cell])),
    ]),
  );
}

const SAMPLE_INPUTS: { readonly [I in Input['type']]: Input } = {
  configure: { type: 'configure', model: 'model-a', words: true, partials: undefined },
  append: { type: 'append', pcm: pcm(80) },
  commit: { type: 'commit' },
  final: { type: 'final' },
  invalid: { type: 'invalid', code: 'invalid_json', text: 'Invalid JSON' },
  hypothesis: { type: 'hypothesis', hypothesis: { type: 'progress', settledMs: 40 } },
  'engine-lost': { type: 'engine-lost', code: 'engine_internal' },
  deadline: { type: 'deadline', name: 'session' },
  stalled: { type: 'stalled' },
  drain: { type: 'drain', deadlineMs: 1000 },
  gone: { type: 'gone' },
};

/** A session in each state, with a stream open where that is possible. */
function inState(type: State['type']): Harness {
  const session = new Harness();
  if (type === 'unvalidated') return session;
  session.configure();
  if (type === 'ready') return session;
  session.commit();
  session.append(80);
  if (type === 'listening') return session;
  if (type === 'answering') session.final();
  else session.feed({ type: 'gone' });
  return session;
}

describe('the table of the session machine', () => {
  it('documents every state and every input, and nothing else', () => {
    const documented = documentedTable();
    expect([...documented.keys()]).toEqual(Object.keys(TABLE));
    for (const [state, row] of Object.entries(TABLE)) {
      expect([...(documented.get(state)?.keys() ?? [])], state).toEqual(Object.keys(row));
    }
  });

  it('has a state for every row of it', () => {
    for (const type of Object.keys(TABLE) as State['type'][]) expect(inState(type).state.type).toBe(type);
  });

  it('changes nothing exactly where it says `ignore`', () => {
    for (const [type, row] of documentedTable()) {
      for (const [name, cell] of row) {
        const session = inState(type as State['type']);
        const before = session.state;
        const effects = session.feed(SAMPLE_INPUTS[name as Input['type']]);
        const isIgnored = session.state === before && effects.length === 0;
        // A `final` with nothing to end is the one that is ignored by its footnote.
        expect(isIgnored || cell.startsWith('mark'), `${type} ${name}`).toBe(
          cell === 'ignore' || cell.startsWith('mark'),
        );
      }
    }
  });
});

describe('a session before a good model was named', () => {
  it('greets first', () => {
    const session = new Harness({ sessionMsMax: 60_000 });
    expect(session.effects).toEqual([
      { type: 'send', notice: { type: 'created', id: 'sess-0123456789abcdef', createdS: 1_795_360_478 } },
      { type: 'start-deadline', name: 'idle', afterMs: 300_000 },
      { type: 'start-deadline', name: 'session', afterMs: 60_000 },
    ]);
  });

  it('refuses both kinds of commit with the text of vLLM and stays', () => {
    const session = new Harness();
    const refusal = {
      type: 'error',
      code: 'model_not_validated',
      text: 'Model not validated. Make sure to validate the model by sending a session.update event.',
    };
    expect(notices(session.commit())).toEqual([refusal]);
    expect(notices(session.final())).toEqual([refusal]);
    expect(session.state.type).toBe('unvalidated');
  });

  it('refuses an unknown model with its name and stays', () => {
    const session = new Harness();
    expect(notices(session.configure({ model: 'nonexistent-model' }))).toEqual([
      { type: 'error', code: 'model_not_found', text: 'The model `nonexistent-model` does not exist.' },
    ]);
    expect(session.state.type).toBe('unvalidated');
  });

  it('takes every served name, and the empty one for the default', () => {
    for (const model of ['model-a', 'model-b', '']) {
      const session = new Harness();
      expect(session.configure({ model })).toEqual([]);
      expect(session.state.type).toBe('ready');
    }
  });

  it('keeps audio for the first utterance', () => {
    const session = new Harness();
    session.append(80);
    session.configure();
    expect(brief(session.commit())).toEqual(['open', 'write 80']);
  });
});

describe('an utterance', () => {
  it('goes from commit over audio and final to done', () => {
    const session = new Harness();
    expect(session.configure()).toEqual([]);
    expect(session.commit()).toEqual([]);
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
    expect(brief(session.append(1000))).toEqual(['write 1000']);
    expect(brief(session.words(word('First', 100, 400), word('words', 450, 800)))).toEqual([
      'delta First words',
    ]);
    expect(brief(session.final())).toEqual(['flush 1']);
    expect(brief(session.words(word('spoken.', 850, 1000)))).toEqual(['delta spoken.']);
    expect(brief(session.flushed(1, 7))).toEqual(['done First words spoken. 14+7']);
    expect(session.state.type).toBe('ready');
  });

  it('works when the audio comes before the commit, and when the final does too', () => {
    const session = new Harness();
    session.configure();
    session.append(100);
    session.append(100);
    expect(brief(session.commit())).toEqual(['open', 'write 100', 'write 100']);
    expect(brief(session.final())).toEqual(['flush 1']);
    session.flushed(1);
    session.append(200);
    expect(session.final()).toEqual([]);
    expect(brief(session.commit())).toEqual(['write 200', 'flush 2']);
  });

  it('is done at once, with empty text, when it has no audio', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    expect(brief(session.final())).toEqual(['done 0+0']);
    expect(session.state.type).toBe('ready');
    session.commit();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
  });

  it('ignores a commit while it is running', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    expect(session.commit()).toEqual([]);
    expect(brief(session.final())).toEqual(['flush 1']);
  });

  it('is not cut short by a stray final before it', () => {
    const session = new Harness();
    session.configure();
    expect(session.final()).toEqual([]);
    expect(session.final()).toEqual([]);
    session.commit();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
    expect(session.state.type).toBe('listening');
  });

  it('sends no delta without text', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    expect(session.hear({ type: 'words', words: [], settledMs: 40 })).toEqual([]);
    expect(session.hear({ type: 'progress', settledMs: 60 })).toEqual([]);
  });

  it('ignores an answer to another marker', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    session.final();
    expect(session.flushed(99)).toEqual([]);
    expect(session.state.type).toBe('answering');
  });
});

describe('between final and done', () => {
  function answering(): Harness {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80, 1);
    session.final();
    return session;
  }

  it('audio is kept for the next utterance', () => {
    const session = answering();
    expect(session.append(160, 2)).toEqual([]);
    expect(brief(session.flushed(1))).toEqual(['done 1+0']);
    expect(brief(session.commit())).toEqual(['write 160']);
  });

  it('a commit starts the next utterance after done', () => {
    const session = answering();
    session.commit();
    session.append(160, 2);
    expect(brief(session.flushed(1))).toEqual(['done 1+0', 'write 160']);
    expect(session.state.type).toBe('listening');
    expect(brief(session.final())).toEqual(['flush 2']);
  });

  it('whole utterances may be sent ahead, and each is answered in its turn', () => {
    const session = answering();
    for (const mark of [2, 3]) {
      session.commit();
      session.append(100 * mark, mark);
      session.final();
    }
    expect(brief(session.flushed(1))).toEqual(['done 1+0', 'write 200', 'flush 2']);
    expect(brief(session.flushed(2))).toEqual(['done 3+0', 'write 300', 'flush 3']);
    expect(brief(session.flushed(3))).toEqual(['done 4+0']);
    expect(session.state.type).toBe('ready');
  });

  it('an empty utterance sent ahead is answered as well', () => {
    const session = answering();
    session.commit();
    session.final();
    session.commit();
    session.final();
    expect(brief(session.flushed(1))).toEqual(['done 1+0', 'done 0+0', 'done 0+0']);
    expect(session.state.type).toBe('ready');
  });

  it('a commit for each chunk starts one utterance and not many', () => {
    const session = answering();
    session.commit();
    session.append(80);
    session.commit();
    session.append(80);
    session.commit();
    expect(brief(session.flushed(1))).toEqual(['done 1+0', 'write 80', 'write 80']);
    session.final();
    expect(brief(session.flushed(2))).toEqual(['done 2+0']);
    expect(session.state.type).toBe('ready');
  });

  it('a stray final is ignored', () => {
    const session = answering();
    session.final();
    session.final();
    session.flushed(1);
    session.commit();
    expect(brief(session.append(80))).toEqual(['write 80']);
  });
});

describe('bounds', () => {
  it('audio that does not fit into the queue is refused alone; what fits still does', () => {
    const session = new Harness({ queuedAudioMsMax: 1000 });
    session.configure();
    expect(session.append(900)).toEqual([]);
    expect(brief(session.append(101))).toEqual(['error buffer_full']);
    expect(session.append(100)).toEqual([]);
    expect(brief(session.append(1))).toEqual(['error buffer_full']);
    expect(brief(session.commit())).toEqual(['open', 'write 900', 'write 100']);
  });

  it('tiny appends are joined, so that their number costs nothing', () => {
    const session = new Harness();
    session.configure();
    for (let n = 0; n < 100_000; n += 1) session.feed({ type: 'append', pcm: Uint8Array.of(n & 255, 0) });
    const writes = session.commit().filter((effect) => effect.type === 'write');
    expect(writes.length).toBeLessThan(160);
    const all = Buffer.concat(writes.map((effect) => effect.pcm));
    expect(all.length).toBe(200_000);
    expect(all.every((byte, at) => byte === (at % 2 === 0 ? (at / 2) & 255 : 0))).toBe(true);
  });

  it('utterances that wait for their turn are bounded', () => {
    const session = new Harness({ queuedUtterancesMax: 2 });
    session.configure();
    for (const _ of [1, 2]) {
      session.append(80);
      expect(session.final()).toEqual([]);
    }
    session.append(80);
    expect(brief(session.final())).toEqual(['error buffer_full']);
    expect(brief(session.commit())).toEqual(['open', 'write 80', 'flush 1']);
    expect(session.final()).toEqual([]);
  });

  it('an utterance that never ends is answered and the session ended', () => {
    const session = new Harness({ utteranceCharsMax: 10 });
    session.configure();
    session.commit();
    session.append(80);
    expect(brief(session.words(word('four', 0, 20)))).toEqual(['delta four']);
    expect(brief(session.words(word('fives', 20, 40)))).toEqual([
      'delta fives',
      'flush 1',
      'finish in 10000',
    ]);
    expect(brief(session.flushed(1))).toEqual([
      'done four fives 1+0',
      'error session_expired',
      'release',
      'close 1000',
    ]);
  });
});

describe('a failing engine', () => {
  it('costs the running utterance its done, and nothing else', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(500);
    expect(brief(session.feed({ type: 'engine-lost', code: 'engine_worker_lost' }))).toEqual([
      'error processing_error',
    ]);
    session.commit();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
  });

  it('keeps what is queued, and begins what was committed', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    session.final();
    session.commit();
    session.append(160);
    expect(brief(session.feed({ type: 'engine-lost', code: 'engine_internal' }))).toEqual([
      'error processing_error',
      'open',
      'write 160',
    ]);
  });

  it('is not mentioned between utterances', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    session.final();
    session.flushed(1);
    expect(session.feed({ type: 'engine-lost', code: 'engine_worker_lost' })).toEqual([]);
    session.commit();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
  });

  it('ends the session when it is closed (1012) or takes no more (1013)', () => {
    for (const [code, ending] of [
      ['engine_closed', ['error processing_error', 'close 1012']],
      ['engine_busy', ['error engine_busy', 'close 1013']],
    ] as const) {
      const session = new Harness();
      session.configure();
      session.commit();
      session.append(80);
      expect(brief(session.feed({ type: 'engine-lost', code }))).toEqual(ending);
    }
  });

  it('does not shift the times of what follows', () => {
    const session = new Harness();
    session.configure({ words: true });
    session.commit();
    session.append(500);
    session.feed({ type: 'engine-lost', code: 'engine_worker_lost' });
    session.commit();
    session.append(500);
    session.nowMs = 10_000;
    expect(brief(session.words(word('late', 100, 300)))).toEqual(['delta late @800']);
    expect(brief(session.feed({ type: 'deadline', name: 'progress' }))).toEqual(['progress 1000/800']);
  });
});

describe('the extension', () => {
  it('tells times only to clients that asked', () => {
    const plain = new Harness();
    plain.configure();
    plain.commit();
    plain.append(1000);
    expect(notices(plain.words(word('hello', 100, 400)))).toEqual([{ type: 'delta', text: ' hello' }]);
    const utterance = {
      type: 'utterance',
      words: [word('hello', 100, 400)],
      startMs: 100,
      endMs: 400,
      rule: 'pause',
      settledMs: 900,
    } as const;
    expect(plain.hear(utterance)).toEqual([]);
    expect(plain.hear({ type: 'partial', text: 'wor', settledMs: 900 })).toEqual([]);
  });

  it('sends word times, utterances and progress on the timeline of the session', () => {
    const session = new Harness();
    session.configure({ words: true });
    session.commit();
    expect(brief(session.append(1000))).toEqual(['open', 'write 1000', 'progress 1000/0']);
    session.nowMs = 100;
    expect(brief(session.words(word('hello', 100.4, 400.6), word('there', 500, 701)))).toEqual([
      'delta hello there @701',
      'progress in 150',
    ]);
    expect(
      session.hear({
        type: 'utterance',
        words: [word('hello', 100.4, 400.6), word('there', 500, 701)],
        startMs: 100.4,
        endMs: 701,
        rule: 'pause',
        settledMs: 950.7,
      }),
    ).toEqual([
      {
        type: 'send',
        notice: {
          type: 'utterance',
          text: 'hello there',
          startMs: 100,
          endMs: 701,
          words: [word('hello', 100, 401), word('there', 500, 701)],
        },
      },
    ]);
    session.nowMs = 250;
    expect(brief(session.feed({ type: 'deadline', name: 'progress' }))).toEqual(['progress 1000/950']);
  });

  it('opens a stream with partials for clients that want them, also when they ask later', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    expect(brief(session.append(100))).toEqual(['open', 'write 100']);
    session.configure({ partials: true });
    session.final();
    session.flushed(1);
    session.commit();
    expect(brief(session.append(100))).toEqual(['open with partials', 'write 100']);
    expect(session.effects.filter((effect) => effect.type === 'release')).toHaveLength(1);
    expect(notices(session.hear({ type: 'partial', text: 'un', settledMs: 50 }))).toEqual([
      { type: 'partial', text: 'un', audioMs: 150 },
    ]);
  });

  it('opens a stream with the delay that was asked for, and keeps it while the wish stays', () => {
    const session = new Harness();
    const speak = (marker: number): unknown[] => {
      session.commit();
      const effects = brief(session.append(100));
      session.final();
      session.flushed(marker);
      return effects;
    };
    session.configure({ delayMs: 2000 });
    expect(speak(1)).toEqual(['open and 2000 ms', 'write 100']);
    session.configure({ delayMs: 2000 });
    session.configure({});
    expect(speak(2)).toEqual(['write 100']);
    session.configure({ delayMs: 0 });
    expect(speak(3)).toEqual(['open and 0 ms', 'write 100']);
  });

  it('keeps what an earlier update asked for where a later one says nothing', () => {
    const session = new Harness();
    session.configure({ words: true });
    session.configure();
    session.commit();
    session.append(500);
    expect(brief(session.words(word('still', 0, 400)))[0]).toBe('delta still @400');
  });
});

describe('the end of a session', () => {
  it('comes after the answer when the server drains', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    expect(brief(session.feed({ type: 'drain', deadlineMs: 700 }))).toEqual(['flush 1', 'finish in 700']);
    expect(session.append(80)).toEqual([]);
    expect(brief(session.words(word('last', 10, 60)))).toEqual(['delta last']);
    expect(brief(session.flushed(1, 1))).toEqual(['done last 1+1', 'release', 'close 1012']);
    expect(session.state.type).toBe('closed');
  });

  it('answers every utterance that was committed before the drain', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    session.final();
    session.commit();
    session.append(160);
    expect(brief(session.feed({ type: 'drain', deadlineMs: 700 }))).toEqual(['finish in 700']);
    expect(brief(session.flushed(1))).toEqual(['done 1+0', 'write 160', 'flush 2']);
    expect(brief(session.flushed(2))).toEqual(['done 2+0', 'release', 'close 1012']);
  });

  it('comes at the deadline when the engine does not answer', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    session.feed({ type: 'drain', deadlineMs: 700 });
    expect(brief(session.feed({ type: 'deadline', name: 'finish' }))).toEqual(['release', 'close 1012']);
  });

  it('comes at once when nothing is running', () => {
    const session = new Harness();
    session.configure();
    session.append(80);
    expect(brief(session.feed({ type: 'drain', deadlineMs: 700 }))).toEqual(['close 1012']);
  });

  it('comes when nothing was heard for too long, after the last words', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    session.feed({ type: 'deadline', name: 'idle' });
    expect(brief(session.flushed(1))).toEqual(['done 1+0', 'error idle_timeout', 'release', 'close 1000']);
  });

  it('is not idle while its audio is being worked on, though nothing new is read of the client', () => {
    const session = inState('listening');
    const before = session.effects.length;
    session.feed(SAMPLE_INPUTS.hypothesis);
    expect(session.effects.slice(before)).toContainEqual({
      type: 'start-deadline',
      name: 'idle',
      afterMs: 300_000,
    });
  });

  it('does not come for silence while the client waits for its answer', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    session.final();
    session.feed({ type: 'deadline', name: 'idle' });
    expect(session.effects.at(-1)).toEqual({ type: 'start-deadline', name: 'idle', afterMs: 300_000 });
    expect(brief(session.flushed(1))).toEqual(['done 1+0']);
    expect(session.state.type).toBe('ready');
  });

  it('frees the slot at once when the client is gone', () => {
    const session = new Harness();
    session.configure();
    session.commit();
    session.append(80);
    expect(brief(session.feed({ type: 'gone' }))).toEqual(['release', 'end']);
  });

  it('is 1008 for a client that does not read and 1009 for a message above the limit', () => {
    expect(brief(new Harness().feed({ type: 'stalled' }))).toEqual(['error slow_reader', 'close 1008']);
    expect(brief(new Harness().feed({ type: 'invalid', code: 'frame_too_large', text: 'x' }))).toEqual([
      'error frame_too_large',
      'close 1009',
    ]);
  });
});

describe('a client that sends again what is not settled', () => {
  function replaying(config = {}): Harness {
    const session = new Harness(config);
    session.configure({ words: true, replay: true });
    session.commit();
    return session;
  }

  it('gets the place of every word with its delta, and of every answer', () => {
    const session = replaying();
    session.append(1000);
    expect(notices(session.words(word('hello', 100.4, 400.6), word('there', 500, 701)))[0]).toEqual({
      type: 'delta',
      text: ' hello there',
      audioMs: 701,
      words: [word('hello', 100, 401), word('there', 500, 701)],
    });
    session.final();
    session.append(500);
    expect(notices(session.flushed(1, 2, 1000)).at(-1)).toEqual({
      type: 'done',
      text: ' hello there',
      usage: { promptTokens: 13, completionTokens: 2 },
      audioMs: 1000,
    });
  });

  it('is told how much waits: received and not settled', () => {
    const session = replaying();
    expect(notices(session.append(1000))).toEqual([
      { type: 'progress', receivedMs: 1000, settledMs: 0, lagMs: 1000 },
    ]);
  });

  it('is let go in the middle of a word when the server drains or the session is too old', () => {
    for (const [input, code] of [
      [{ type: 'drain', deadlineMs: 5000 }, 1012],
      [{ type: 'deadline', name: 'session' }, 1000],
    ] as const) {
      const session = replaying();
      session.append(1000);
      session.words(word('hello', 100, 400));
      const effects = brief(session.feed(input));
      expect(effects.filter((effect) => effect !== 'error session_expired')).toEqual([
        'progress 1000/400',
        'release',
        `close ${code}`,
      ]);
      expect(session.state.type).toBe('closed');
    }
  });

  it('is answered before the close when it has asked for the answer, or has long been silent', () => {
    const asked = replaying();
    asked.append(1000);
    asked.final();
    expect(brief(asked.feed({ type: 'drain', deadlineMs: 5000 }))).toEqual(['finish in 5000']);
    expect(brief(asked.flushed(1, 0, 1000)).slice(-2)).toEqual(['release', 'close 1012']);
    const silent = replaying();
    silent.append(1000);
    expect(brief(silent.feed({ type: 'deadline', name: 'idle' }))).toEqual(['flush 1', 'finish in 10000']);
  });

  it('is never told that audio is settled whose words an engine took with it', () => {
    const session = replaying();
    session.append(1000);
    session.words(word('hello', 100, 400));
    session.feed({ type: 'engine-lost', code: 'engine_worker_lost' });
    session.commit();
    session.append(1000);
    session.words(word('late', 100, 300));
    session.nowMs = 10_000;
    expect(brief(session.feed({ type: 'deadline', name: 'progress' }))).toEqual(['progress 2000/400']);
  });
});
