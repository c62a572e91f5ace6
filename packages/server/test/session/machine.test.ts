import { describe, expect, it } from 'vitest';
import { brief, Harness, notices, word } from './machine-harness.js';

describe('a session before a good model was named', () => {
  it('greets first', () => {
    const session = new Harness({ sessionMsMax: 60_000 });
    expect(session.effects).toEqual([
      { type: 'send', notice: { type: 'created', id: 'sess-0123456789abcdef', createdS: 1_795_360_478 } },
      { type: 'start-deadline', name: 'idle', afterMs: 15_000 },
      { type: 'start-deadline', name: 'session', afterMs: 60_000 },
    ]);
  });

  it('refuses to begin and to end an utterance, and stays', () => {
    const session = new Harness();
    expect(brief(session.begin())).toEqual(['fault not_configured']);
    expect(brief(session.end())).toEqual(['fault not_configured']);
    expect(session.state.type).toBe('unconfigured');
  });

  it('refuses an unknown model with its name and stays', () => {
    const session = new Harness();
    expect(notices(session.configure({ model: 'nonexistent-model' }))).toEqual([
      { type: 'fault', fault: 'model_not_found', detail: 'nonexistent-model' },
    ]);
    expect(session.state.type).toBe('unconfigured');
  });

  it('takes every served name, and the empty one for the default', () => {
    for (const model of ['model-a', 'model-b', '']) {
      const session = new Harness();
      expect(brief(session.configure({ model }))).toEqual(['configured']);
      expect(session.state.type).toBe('ready');
    }
  });

  it('refuses a language that the model does not hear, with those that it does, and stays', () => {
    const session = new Harness();
    expect(notices(session.configure({ language: 'ja_JP' }))).toEqual([
      {
        type: 'fault',
        fault: 'unsupported_language',
        detail: 'The language Japanese (ja) is not heard here. This model hears English (en).',
      },
    ]);
    expect(session.state.type).toBe('unconfigured');
    for (const language of ['en_US', 'EN', 'english', 'auto']) {
      const understood = new Harness();
      expect(brief(understood.configure({ language }))).toEqual(['configured']);
      expect(understood.state.type).toBe('ready');
    }
  });

  it('stays ready when a later language is refused, and keeps the extras as they were', () => {
    const session = new Harness();
    session.configure({ progress: true });
    const { state } = session;
    expect(brief(session.configure({ language: 'ja', progress: false }))).toEqual([
      'fault unsupported_language',
    ]);
    expect(session.state).toBe(state);
  });

  it('keeps audio for the first utterance', () => {
    const session = new Harness();
    session.append(80);
    session.configure();
    expect(brief(session.begin())).toEqual(['open', 'write 80']);
  });
});

describe('an utterance', () => {
  it('goes from its beginning over audio and its end to done', () => {
    const session = new Harness();
    expect(brief(session.configure())).toEqual(['configured']);
    expect(session.begin()).toEqual([]);
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
    expect(brief(session.append(1000))).toEqual(['write 1000']);
    expect(brief(session.words(word('First', 100, 400), word('words', 450, 800)))).toEqual([
      'delta First words @800',
    ]);
    expect(brief(session.end())).toEqual(['flush 1']);
    expect(brief(session.words(word('spoken.', 850, 1000)))).toEqual(['delta spoken. @1000']);
    expect(brief(session.flushed(1, 7))).toEqual(['done First words spoken. 1080+7']);
    expect(session.state.type).toBe('ready');
  });

  it('works when the audio comes before its beginning, and when its end does too', () => {
    const session = new Harness();
    session.configure();
    session.append(100);
    session.append(100);
    expect(brief(session.begin())).toEqual(['open', 'write 100', 'write 100']);
    expect(brief(session.end())).toEqual(['flush 1']);
    session.flushed(1);
    session.append(200);
    expect(session.end()).toEqual([]);
    expect(brief(session.begin())).toEqual(['write 200', 'flush 2']);
  });

  it('is done at once, with empty text, when it has no audio', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    expect(brief(session.end())).toEqual(['done 0+0']);
    expect(session.state.type).toBe('ready');
    session.begin();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
  });

  it('ignores another beginning while it is running', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    expect(session.begin()).toEqual([]);
    expect(brief(session.end())).toEqual(['flush 1']);
  });

  it('is not cut short by a stray end before it', () => {
    const session = new Harness();
    session.configure();
    expect(session.end()).toEqual([]);
    expect(session.end()).toEqual([]);
    session.begin();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
    expect(session.state.type).toBe('listening');
  });

  it('sends no delta without text', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    expect(session.hear({ type: 'words', words: [], settledMs: 40 })).toEqual([]);
    expect(session.hear({ type: 'progress', settledMs: 60 })).toEqual([]);
  });

  it('ignores an answer to another marker', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    session.end();
    expect(session.flushed(99)).toEqual([]);
    expect(session.state.type).toBe('answering');
  });
});

describe('between end and done', () => {
  function answering(): Harness {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80, 1);
    session.end();
    return session;
  }

  it('audio is kept for the next utterance', () => {
    const session = answering();
    expect(session.append(160, 2)).toEqual([]);
    expect(brief(session.flushed(1))).toEqual(['done 80+0']);
    expect(brief(session.begin())).toEqual(['write 160']);
  });

  it('a beginning starts the next utterance after done', () => {
    const session = answering();
    session.begin();
    session.append(160, 2);
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'write 160']);
    expect(session.state.type).toBe('listening');
    expect(brief(session.end())).toEqual(['flush 2']);
  });

  it('whole utterances may be sent ahead, and each is answered in its turn', () => {
    const session = answering();
    for (const mark of [2, 3]) {
      session.begin();
      session.append(100 * mark, mark);
      session.end();
    }
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'write 200', 'flush 2']);
    expect(brief(session.flushed(2))).toEqual(['done 200+0', 'write 300', 'flush 3']);
    expect(brief(session.flushed(3))).toEqual(['done 300+0']);
    expect(session.state.type).toBe('ready');
  });

  it('an empty utterance sent ahead is answered as well', () => {
    const session = answering();
    session.begin();
    session.end();
    session.begin();
    session.end();
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'done 0+0', 'done 0+0']);
    expect(session.state.type).toBe('ready');
  });

  it('a beginning for each chunk starts one utterance and not many', () => {
    const session = answering();
    session.begin();
    session.append(80);
    session.begin();
    session.append(80);
    session.begin();
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'write 80', 'write 80']);
    session.end();
    expect(brief(session.flushed(2))).toEqual(['done 160+0']);
    expect(session.state.type).toBe('ready');
  });

  it('a stray end is ignored', () => {
    const session = answering();
    session.end();
    session.end();
    session.flushed(1);
    session.begin();
    expect(brief(session.append(80))).toEqual(['write 80']);
  });
});

describe('bounds', () => {
  it('audio that does not fit before its utterance begins is told once, and the rest of its utterance is dropped', () => {
    const session = new Harness({ queuedAudioMsMax: 1000 });
    session.configure();
    expect(session.append(900)).toEqual([]);
    expect(session.append(100)).toEqual([]);
    expect(brief(session.append(1))).toEqual(['fault buffer_full', 'drop']);
    for (let n = 0; n < 500; n += 1) expect(brief(session.append(50))).toEqual(['drop']);
    expect(brief(session.begin())).toEqual(['open', 'write 900', 'write 100']);
    expect(brief(session.append(50))).toEqual(['write 50']);
  });

  it('each utterance that does not fit is told once, and the next one is taken again', () => {
    const session = new Harness({ queuedAudioMsMax: 1000 });
    session.configure();
    session.append(900);
    session.append(200);
    session.end();
    expect(brief(session.append(200))).toEqual(['fault buffer_full', 'drop']);
    expect(brief(session.append(200))).toEqual(['drop']);
    expect(brief(session.begin())).toEqual(['open', 'write 900', 'flush 1']);
    // Still the same utterance.
    expect(brief(session.append(200))).toEqual(['drop']);
    session.end();
    expect(session.append(200)).toEqual([]);
  });

  it('tiny appends are joined, so that their number costs nothing', () => {
    const session = new Harness();
    session.configure();
    for (let n = 0; n < 100_000; n += 1) session.feed({ type: 'append', pcm: Uint8Array.of(n & 255, 0) });
    const writes = session.begin().filter((effect) => effect.type === 'write');
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
      expect(session.end()).toEqual([]);
    }
    session.append(80);
    expect(brief(session.end())).toEqual(['fault buffer_full']);
    expect(brief(session.begin())).toEqual(['open', 'write 80', 'flush 1']);
    expect(session.end()).toEqual([]);
  });

  it('an utterance that never ends is answered and the session ended', () => {
    const session = new Harness({ utteranceCharsMax: 10 });
    session.configure();
    session.begin();
    session.append(80);
    expect(brief(session.words(word('four', 0, 20)))).toEqual(['delta four @20']);
    expect(brief(session.words(word('fives', 20, 40)))).toEqual([
      'delta fives @40',
      'flush 1',
      'finish in 10000',
    ]);
    expect(brief(session.flushed(1))).toEqual([
      'done four fives 80+0',
      'fault session_expired',
      'release',
      'close 1000',
    ]);
  });
});

describe('a failing engine', () => {
  it('costs the running utterance its done, and nothing else', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(500);
    expect(brief(session.feed({ type: 'engine-lost', code: 'engine_worker_lost' }))).toEqual([
      'fault engine_failed',
    ]);
    session.begin();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
  });

  it('keeps what is queued, and begins what waits', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    session.end();
    session.begin();
    session.append(160);
    expect(brief(session.feed({ type: 'engine-lost', code: 'engine_internal' }))).toEqual([
      'fault engine_failed',
      'open',
      'write 160',
    ]);
  });

  it('is not mentioned between utterances', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    session.end();
    session.flushed(1);
    expect(session.feed({ type: 'engine-lost', code: 'engine_worker_lost' })).toEqual([]);
    session.begin();
    expect(brief(session.append(80))).toEqual(['open', 'write 80']);
  });

  it('ends the session when it is closed (1012) or takes no more (1013)', () => {
    for (const [code, ending] of [
      ['engine_closed', ['fault engine_failed', 'close 1012']],
      ['engine_busy', ['fault engine_busy', 'close 1013']],
    ] as const) {
      const session = new Harness();
      session.configure();
      session.begin();
      session.append(80);
      expect(brief(session.feed({ type: 'engine-lost', code }))).toEqual(ending);
    }
  });

  it('does not shift the times of what follows', () => {
    const session = new Harness();
    session.configure({ progress: true });
    session.begin();
    session.append(500);
    session.feed({ type: 'engine-lost', code: 'engine_worker_lost' });
    session.begin();
    session.append(500);
    session.nowMs = 10_000;
    expect(brief(session.words(word('late', 100, 300)))).toEqual(['delta late @800']);
    expect(brief(session.feed({ type: 'deadline', name: 'progress' }))).toEqual(['progress 1000/800']);
  });
});
