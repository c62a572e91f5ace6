import { describe, expect, it } from 'vitest';
import { brief, Harness, inState, word } from './machine-harness.js';

describe('a client that clears', () => {
  it('has what it said since the last answer forgotten, and nothing is said of it any more', () => {
    const session = inState('listening');
    session.append(1000);
    expect(brief(session.feed({ type: 'clear' }))).toEqual(['release', 'cleared']);
    expect(session.state.type).toBe('ready');
    expect(session.words(word('late', 10, 60))).toEqual([]);
  });

  it('finds its next words behind what was dropped, also what no utterance had taken', () => {
    const session = new Harness();
    session.configure();
    session.append(500);
    expect(brief(session.feed({ type: 'clear' }))).toEqual(['cleared']);
    session.begin();
    session.append(1000);
    session.feed({ type: 'clear' });
    session.begin();
    expect(brief(session.append(400))).toEqual(['open', 'write 400']);
    expect(brief(session.words(word('hello', 100, 400)))).toEqual(['delta hello @1900']);
  });

  it('keeps what was ended before, and its answers', () => {
    const session = inState('listening');
    session.append(80);
    session.end();
    session.begin();
    session.append(160);
    session.end();
    session.begin();
    session.append(320);
    expect(brief(session.feed({ type: 'clear' }))).toEqual(['cleared']);
    expect(brief(session.flushed(1))).toContain('write 160');
    expect(brief(session.flushed(2))).toEqual(['done 160+0']);
    expect(session.state.type).toBe('ready');
  });

  it('is heard again after too much audio was refused', () => {
    const session = new Harness({ queuedAudioMsMax: 100 });
    session.configure();
    session.append(80);
    expect(brief(session.append(80))).toEqual(['fault buffer_full', 'drop']);
    session.feed({ type: 'clear' });
    expect(session.append(80)).toEqual([]);
  });
});

describe('a client that has said everything', () => {
  it('is answered all of it, for as long as that takes, and let go', () => {
    const session = new Harness();
    session.configure({ resumes: true, utterances: true });
    session.begin();
    session.append(80);
    session.end();
    session.begin();
    session.append(160);
    expect(session.feed({ type: 'leave' })).toEqual([]);
    expect(session.append(80)).toEqual([]);
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'write 160', 'flush 2']);
    expect(brief(session.flushed(2))).toEqual(['done 160+0', 'release', 'close 1000']);
  });

  it('is answered what is being said, though it would send again what is not settled', () => {
    const session = new Harness();
    session.configure({ resumes: true, utterances: true });
    session.begin();
    session.append(80);
    expect(brief(session.feed({ type: 'leave' }))).toEqual(['flush 1']);
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'release', 'close 1000']);
  });

  it('is let go at once where nothing is running', () => {
    for (const type of ['unconfigured', 'ready'] as const) {
      expect(brief(inState(type).feed({ type: 'leave' })).at(-1)).toBe('close 1000');
    }
  });
});
