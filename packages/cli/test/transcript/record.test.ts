import { describe, expect, it } from 'vitest';
import { TranscriptRecord } from '../../src/transcript/record.js';

const usage = null;

describe('TranscriptRecord', () => {
  it('puts words, utterances and times together from a server that knows our extension', () => {
    const record = new TranscriptRecord();
    expect(record.add({ type: 'delta', text: ' Good', audioMs: 400 }, 450, 500)).toEqual({
      type: 'delta',
      text: ' Good',
      audioMs: 400,
    });
    record.add({ type: 'delta', text: ' morning.', audioMs: 900 }, 1_000, 1_100);
    expect(record.openText).toBe('Good morning.');
    const words = [
      { text: 'Good', startMs: 100, endMs: 400 },
      { text: 'morning.', startMs: 400, endMs: 900 },
    ];
    const event = { type: 'utterance', text: 'Good morning.', startMs: 100, endMs: 900, words } as const;
    expect(record.add(event, 1_200, 1_500)).toEqual({
      type: 'utterance',
      utterance: {
        text: 'Good morning.',
        startMs: 100,
        endMs: 900,
        words: [
          { text: 'Good', startMs: 100, endMs: 400 },
          { text: 'morning.', startMs: 400, endMs: 900 },
        ],
      },
    });
    record.add({ type: 'progress', receivedMs: 2_000, settledMs: 1_800, lagMs: 200 }, 2_000, 2_000);
    expect(record.add({ type: 'done', text: ' Good morning.', usage }, 2_100, 2_000)).toBeUndefined();
    expect(record.openText).toBe('');
    expect([record.text, record.settledMs, record.firstDeltaAtMs, record.lastTextAtMs]).toEqual([
      'Good morning.',
      1_800,
      450,
      2_100,
    ]);
    expect(record.utterances).toHaveLength(1);
  });

  it('makes one utterance per commit, without words, from a server that does not', () => {
    const record = new TranscriptRecord();
    expect(record.add({ type: 'delta', text: '' }, 80, 80)).toBeUndefined();
    expect(record.firstDeltaAtMs).toBeUndefined();
    const delta = record.add({ type: 'delta', text: ' Fir' }, 700, 640);
    expect(delta).toEqual({ type: 'delta', text: ' Fir', audioMs: 640 });
    record.add({ type: 'delta', text: 'st' }, 780, 720);
    const done = record.add({ type: 'done', text: ' First', usage }, 1_500, 1_000);
    expect(done).toEqual({
      type: 'utterance',
      utterance: { text: 'First', startMs: 0, endMs: 1_000, words: [] },
    });
    record.add({ type: 'delta', text: ' Next' }, 2_000, 1_900);
    record.add({ type: 'done', text: ' Next', usage }, 2_500, 2_200);
    expect(record.utterances.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [0, 1_000],
      [1_000, 2_200],
    ]);
    expect(record.text).toBe('First Next');
  });

  it('closes what was said so far when a session is interrupted, and nothing when nothing was said', () => {
    const record = new TranscriptRecord();
    expect(record.closeOpen(500)).toBeUndefined();
    record.add({ type: 'delta', text: ' Half', audioMs: 300 }, 400, 500);
    expect(record.closeOpen(500)).toMatchObject({ utterance: { text: 'Half', endMs: 500 } });
    expect(record.closeOpen(500)).toBeUndefined();
  });

  it('passes over events that it does not know', () => {
    const record = new TranscriptRecord();
    expect(
      record.add({ type: 'unknown', name: 'new.thing', raw: { type: 'new.thing' } }, 1, 1),
    ).toBeUndefined();
    expect(record.text).toBe('');
  });
});
