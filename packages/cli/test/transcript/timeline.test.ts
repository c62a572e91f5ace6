import type { SessionEvent } from '@kikitori/client';
import { describe, expect, it } from 'vitest';
import { Timeline } from '../../src/transcript/timeline.js';

const lanes = { labels: ['A', 'B'], isFound: false };
const found = { ...lanes, isFound: true };

const delta = (text: string, audioMs: number): SessionEvent => ({ type: 'delta', text: ` ${text}`, audioMs });
const utterance = (text: string, startMs: number, endMs: number): SessionEvent => {
  return { type: 'utterance', text, startMs, endMs, words: [] };
};
const progress = (settledMs: number): SessionEvent => {
  return { type: 'progress', receivedMs: settledMs, settledMs, lagMs: 0 };
};

/** What is told of each event, in short. */
function telling(timeline: Timeline) {
  return (lane: number, event: SessionEvent): string[] =>
    timeline
      .add({ ...event, lane }, 0, 0)
      .map((change) =>
        change.type === 'utterance'
          ? `${change.utterance.label ?? '-'}: ${change.utterance.text}`
          : `${change.type} ${change.label ?? '-'}`,
      );
}

describe('a timeline of two voices', () => {
  it('tells an utterance once no other can have begun before it', () => {
    const tell = telling(new Timeline(lanes));
    expect(tell(0, delta('one', 1_000))).toEqual(['delta A']);
    expect(tell(0, utterance('one', 800, 1_000))).toEqual([]);
    expect(tell(1, progress(700))).toEqual([]);
    expect(tell(1, progress(900))).toEqual(['A: one']);
  });

  it('waits for a voice that began earlier and speaks on', () => {
    const tell = telling(new Timeline(lanes));
    tell(1, progress(300));
    tell(1, delta('long', 500));
    tell(0, delta('short', 1_000));
    expect(tell(0, utterance('short', 700, 1_000))).toEqual([]);
    expect(tell(1, progress(2_000))).toEqual([]);
    expect(tell(1, utterance('long', 350, 2_000))).toEqual(['B: long', 'A: short']);
  });

  it.each([
    [0, 1],
    [1, 0],
  ])(
    'tells what begins at once in the order of the lanes, whichever is heard first: %i, %i',
    (...lanesHeard) => {
      const tell = telling(new Timeline(lanes));
      tell(0, progress(200));
      tell(1, progress(200));
      const told = lanesHeard.flatMap((lane) => [
        ...tell(lane, utterance('hello', 200, 900)),
        ...tell(lane, progress(1_000)),
      ]);
      expect(told).toEqual(['A: hello', 'B: hello']);
    },
  );

  it('tells the rest at the end, in order, and has all of it in its text', () => {
    const timeline = new Timeline(lanes);
    const tell = telling(timeline);
    tell(0, delta('late', 5_000));
    tell(0, utterance('late', 4_000, 5_000));
    tell(1, delta('early', 2_000));
    expect(tell(1, utterance('early', 1_000, 2_000))).toEqual(['B: early']);
    tell(1, delta('cut', 6_000));
    const rest = timeline
      .closeOpen(6_000)
      .map((change) => change.type === 'utterance' && change.utterance.text);
    expect(rest).toEqual(['cut', 'late']);
    expect(timeline.text).toBe('B: early\nB: cut\nA: late');
    expect(timeline.utterances.map(({ label }) => label)).toEqual(['B', 'B', 'A']);
  });

  it('that were found has labels, and says anything, from the second voice on', () => {
    const timeline = new Timeline(found);
    const tell = telling(timeline);
    tell(0, delta('one', 1_000));
    tell(0, utterance('one', 800, 1_000));
    expect(tell(1, progress(5_000))).toEqual([]);
    expect(timeline.text).toBe('one');
    expect(tell(1, delta('two', 6_000))).toEqual(['delta B', 'A: one']);
    tell(0, progress(7_000));
    expect(tell(1, utterance('two', 5_500, 6_000))).toEqual(['B: two']);
    expect(timeline.text).toBe('A: one\nB: two');
  });

  it('that were found and of which one is silent has no label', () => {
    const timeline = new Timeline(found);
    const tell = telling(timeline);
    tell(0, delta('alone', 1_000));
    expect(tell(0, utterance('alone', 800, 1_000))).toEqual([]);
    expect(timeline.closeOpen(2_000)).toEqual([
      { type: 'utterance', utterance: { text: 'alone', startMs: 800, endMs: 1_000, words: [] } },
    ]);
    expect(timeline.utterances[0]).not.toHaveProperty('label');
  });

  it('is settled as far as all voices are', () => {
    const timeline = new Timeline(lanes);
    const tell = telling(timeline);
    tell(0, progress(5_000));
    expect(timeline.settledMs).toBeUndefined();
    tell(1, progress(3_000));
    expect(timeline.settledMs).toBe(3_000);
  });
});

describe('a timeline of one voice', () => {
  it('is its record, without a label', () => {
    const timeline = new Timeline(undefined);
    expect(timeline.add(delta('one', 1_000), 10, 20)).toEqual([
      { type: 'delta', text: ' one', audioMs: 1_000 },
    ]);
    expect(timeline.closeOpen(1_500)).toMatchObject([{ type: 'utterance', utterance: { text: 'one' } }]);
    expect([timeline.text, timeline.firstDeltaAtMs, timeline.lastTextAtMs]).toEqual(['one', 10, 10]);
  });
});
