import type { SessionEvent, Transcript } from '@kikitori/client';
import { describe, expect, it } from 'vitest';
import { Conversation, inOrder } from '../../src/live/conversation.js';
import { exported, plainText } from '../../src/live/exports.js';

const begin = (labels: readonly string[]): Conversation =>
  new Conversation({ id: 'id', startedAtMs: 0, name: 'call.wav', model: 'tiny', labels });

const noTranscript = (): Transcript => {
  throw new Error('nobody asks for it');
};

const delta = (text: string): SessionEvent => ({ type: 'delta', text: ` ${text}`, audioMs: 0 });
const utterance = (text: string, startMs: number): SessionEvent => {
  return { type: 'utterance', text, startMs, endMs: startMs + 500, words: [] };
};

describe('a conversation of two channels', () => {
  it('has the words of each behind its label, and exports them in the order in which they were said', () => {
    const conversation = begin(['Channel 1', 'Channel 2']);
    conversation.add(delta('Hello.'), noTranscript, 1);
    conversation.add(delta('Good'), noTranscript, 0);
    expect(conversation.open).toBe('Channel 1: Good Channel 2: Hello.');
    conversation.add(utterance('Hello.', 2_000), noTranscript, 1);
    conversation.add(utterance('Good.', 1_000), noTranscript, 0);
    const record = conversation.record();
    expect(record.utterances.map(({ label, text }) => [label, text])).toEqual([
      ['Channel 2', 'Hello.'],
      ['Channel 1', 'Good.'],
    ]);
    expect(plainText(record)).toBe('Channel 1: Good.\nChannel 2: Hello.\n');
    expect(exported(record, 'vtt')).toContain('<v Channel 2>Hello.');
    expect(inOrder(record.utterances).map(({ startMs }) => startMs)).toEqual([1_000, 2_000]);
  });

  it('is settled as far as both are, and unsure where one of them is', () => {
    const conversation = begin(['Channel 1', 'Channel 2']);
    const progress: SessionEvent = { type: 'progress', receivedMs: 900, settledMs: 800, lagMs: 0 };
    conversation.add(progress, noTranscript, 0);
    expect(conversation.settledMs).toBe(0);
    conversation.add(progress, noTranscript, 1);
    expect(conversation.settledMs).toBe(800);
    conversation.add({ type: 'delta', text: ' x', audioMs: 0, unsure: true }, noTranscript, 1);
    expect(conversation.isOpenUnsure).toBe(true);
  });

  it('shows the words that may still change of the voice that such were last told of', () => {
    const conversation = begin(['Channel 1', 'Channel 2']);
    conversation.add({ type: 'partial', text: ' one', audioMs: 0 }, noTranscript, 0);
    conversation.add({ type: 'partial', text: ' two', audioMs: 0 }, noTranscript, 1);
    expect(conversation.unstable).toBe('two');
  });
});

describe('a conversation of one voice', () => {
  it('has no labels', () => {
    const conversation = begin([]);
    conversation.add(delta('Hello'), noTranscript);
    expect(conversation.open).toBe('Hello');
    conversation.add(utterance('Hello', 100), noTranscript);
    expect(conversation.utterances[0]).not.toHaveProperty('label');
    expect(conversation.open).toBe('');
  });
});
