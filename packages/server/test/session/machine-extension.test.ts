import { describe, expect, it } from 'vitest';
import { brief, Harness, notices, word } from './machine-harness.js';

describe('what a client may ask for', () => {
  it('is told to nobody else', () => {
    const plain = new Harness();
    plain.configure();
    plain.begin();
    expect(brief(plain.append(1000))).toEqual(['open', 'write 1000']);
    expect(brief(plain.words(word('hello', 100, 400)))).toEqual(['delta hello @400']);
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

  it('is told as text where nobody wants words, as it was written, and the answer repeats it', () => {
    const plain = new Harness();
    plain.configure();
    plain.begin();
    plain.append(1000);
    const text = (written: string, endMs: number) =>
      plain.hear({ type: 'text', text: written, endMs, settledMs: 0 });
    expect(text(' hel', 320)).toEqual([
      { type: 'send', notice: { type: 'delta', text: ' hel', audioMs: 320, words: [] } },
    ]);
    expect(brief(text('lo', 400.4))).toEqual(['deltalo @400']);
    expect(brief(plain.feed({ type: 'end' }))).toContain('flush 1');
    expect(brief(plain.flushed(1, 2))[0]).toBe('done hello 1000+2');
  });

  it('are utterances and progress, on the timeline of the session', () => {
    const session = new Harness();
    session.configure({ utterances: true, progress: true });
    session.begin();
    expect(brief(session.append(1000))).toEqual(['open with words', 'write 1000', 'progress 1000/0']);
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

  it('are onsets, each with an utterance behind it, also where nothing came of it', () => {
    const onset = { type: 'onset', startMs: 120.4, settledMs: 0 } as const;
    const nothing = {
      type: 'utterance',
      words: [],
      startMs: 120.4,
      endMs: 300,
      rule: 'pause',
      settledMs: 900,
    } as const;
    const told = [true, false].map((onsets) => {
      const session = new Harness();
      session.configure({ utterances: true, onsets });
      session.begin();
      session.append(1000);
      return [...session.hear(onset), ...session.hear(nothing)];
    });
    expect(told).toEqual([
      [
        { type: 'send', notice: { type: 'onset', startMs: 120 } },
        { type: 'send', notice: { type: 'utterance', text: '', startMs: 120, endMs: 300, words: [] } },
      ],
      [],
    ]);
  });

  it('marks what the engine is unsure of', () => {
    const words = [word('bonjour', 100, 400)];
    const said = { type: 'words', words, settledMs: 400, unsure: true } as const;
    const closed = {
      type: 'utterance',
      words,
      startMs: 100,
      endMs: 400,
      rule: 'pause',
      settledMs: 900,
    } as const;
    const session = new Harness();
    session.configure({ utterances: true });
    session.begin();
    session.append(1000);
    expect(notices(session.hear(said))[0]).toMatchObject({ type: 'delta', text: ' bonjour', unsure: true });
    expect(notices(session.hear({ ...closed, unsure: true }))[0]).toMatchObject({
      type: 'utterance',
      unsure: true,
    });
    expect(notices(session.hear(closed))[0]).not.toHaveProperty('unsure');
  });

  it('opens a stream with partials for clients that want them, also when they ask later', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    expect(brief(session.append(100))).toEqual(['open', 'write 100']);
    session.configure({ partials: true });
    session.end();
    session.flushed(1);
    session.begin();
    expect(brief(session.append(100))).toEqual(['open with partials', 'write 100']);
    expect(session.effects.filter((effect) => effect.type === 'release')).toHaveLength(1);
    expect(notices(session.hear({ type: 'partial', text: 'un', settledMs: 50 }))).toEqual([
      { type: 'partial', text: 'un', audioMs: 150 },
    ]);
  });

  it('opens a stream with the delay that was asked for, and keeps it while the wish stays', () => {
    const session = new Harness();
    const speak = (marker: number): unknown[] => {
      session.begin();
      const effects = brief(session.append(100));
      session.end();
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
    session.configure({ progress: true });
    session.configure();
    session.begin();
    expect(brief(session.append(500)).at(-1)).toBe('progress 500/0');
  });
});

describe('a client that sends again what is not settled', () => {
  function replaying(config = {}): Harness {
    const session = new Harness(config);
    session.configure({ utterances: true, progress: true, resumes: true });
    session.begin();
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
    session.end();
    session.append(500);
    expect(notices(session.flushed(1, 2, 1000)).at(-1)).toEqual({
      type: 'done',
      text: ' hello there',
      samples: 16_000,
      tokens: 2,
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
      expect(effects.filter((effect) => effect !== 'fault session_expired')).toEqual([
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
    asked.end();
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
    session.begin();
    session.append(1000);
    session.words(word('late', 100, 300));
    session.nowMs = 10_000;
    expect(brief(session.feed({ type: 'deadline', name: 'progress' }))).toEqual(['progress 2000/400']);
  });
});
