import { describe, expect, it } from 'vitest';
import { brief, Harness, inState, SAMPLE_INPUTS, word } from './machine-harness.js';

describe('the end of a session', () => {
  it('comes after the answer when the server drains', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    expect(brief(session.feed({ type: 'drain', deadlineMs: 700 }))).toEqual(['flush 1', 'finish in 700']);
    expect(session.append(80)).toEqual([]);
    expect(brief(session.words(word('last', 10, 60)))).toEqual(['delta last @60']);
    expect(brief(session.flushed(1, 1))).toEqual(['done last 80+1', 'release', 'close 1012']);
    expect(session.state.type).toBe('closed');
  });

  it('answers every utterance that was begun before the drain', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    session.end();
    session.begin();
    session.append(160);
    expect(brief(session.feed({ type: 'drain', deadlineMs: 700 }))).toEqual(['finish in 700']);
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'write 160', 'flush 2']);
    expect(brief(session.flushed(2))).toEqual(['done 160+0', 'release', 'close 1012']);
  });

  it('comes at the deadline when the engine does not answer', () => {
    const session = new Harness();
    session.configure();
    session.begin();
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
    session.begin();
    session.append(80);
    session.feed({ type: 'deadline', name: 'idle' });
    expect(brief(session.flushed(1))).toEqual(['done 80+0', 'fault idle_timeout', 'release', 'close 1000']);
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
    session.begin();
    session.append(80);
    session.end();
    session.feed({ type: 'deadline', name: 'idle' });
    expect(session.effects.at(-1)).toEqual({ type: 'start-deadline', name: 'idle', afterMs: 300_000 });
    expect(brief(session.flushed(1))).toEqual(['done 80+0']);
    expect(session.state.type).toBe('ready');
  });

  it('frees the slot at once when the client is gone', () => {
    const session = new Harness();
    session.configure();
    session.begin();
    session.append(80);
    expect(brief(session.feed({ type: 'gone' }))).toEqual(['release', 'end']);
  });

  it('is 1008 for a client that does not read, and what the dialect says for a message that it closes on', () => {
    expect(brief(new Harness().feed({ type: 'stalled' }))).toEqual(['fault slow_reader', 'close 1008']);
    const problem = { code: 'frame_too_large', text: 'x', closing: { code: 1009, reason: 'Too big.' } };
    expect(brief(new Harness().feed({ type: 'invalid', problem }))).toEqual([
      'invalid frame_too_large',
      'close 1009',
    ]);
  });
});
