import { describe, expect, it } from 'vitest';
import { PlacedWords } from '../../src/relay/placed-words.js';

const FOREVER = Number.POSITIVE_INFINITY;

/** Deltas by step; what is whole after each, and after all of them. */
function place(
  steps: Readonly<Record<number, string>>,
  count: number,
  words = new PlacedWords(1_000, false),
) {
  const told: string[] = [];
  for (let step = 1; step <= count; step += 1) {
    for (const { text, word } of words.take(steps[step] ?? '', FOREVER, FOREVER)) {
      told.push(`${step}:${text}@${word.start_ms}-${word.end_ms}`);
    }
  }
  for (const { text, word } of words.finish()) told.push(`end:${text}@${word.start_ms}-${word.end_ms}`);
  return { told, words };
}

describe('words placed by counting deltas', () => {
  it('are whole when the next one begins, and end where their last piece came', () => {
    const { told, words } = place({ 10: ' Hel', 12: 'lo', 15: ' wor', 16: 'ld.' }, 20);
    expect(told).toEqual(['15: Hello@1500-1960', 'end: world.@1960-2280']);
    expect(words.text).toBe(' Hello world.');
  });

  it('are whole when nothing was added for a second', () => {
    expect(place({ 10: ' Hi' }, 30).told).toEqual(['22: Hi@1500-1800']);
  });

  it('are characters where writing has no spaces', () => {
    const { told, words } = place({ 5: '聞き', 6: '取', 9: 'り。' }, 10);
    expect(told.map((text) => text.replace(/@.*/, ''))).toEqual(['6:聞き', '9:取', 'end:り。']);
    expect(words.text).toBe('聞き取り。');
  });

  it('may come several in one piece', () => {
    expect(place({ 20: ' one two' }, 20).told).toEqual(['20: one@2300-2600', 'end: two@2600-2600']);
  });

  it('hold back what is settled while one of them is not whole', () => {
    const words = new PlacedWords(0, true);
    for (let step = 0; step < 20; step += 1) words.take('', FOREVER, FOREVER);
    expect(words.settledMs(FOREVER)).toBe(1_600);
    words.take(' par', FOREVER, FOREVER);
    expect(words.settledMs(FOREVER)).toBe(1_380);
    expect(words.pending).toEqual({ text: 'par', endMs: 1_680 });
    words.take('', FOREVER, FOREVER);
    expect(words.settledMs(FOREVER)).toBe(1_380);
    words.take(' next', FOREVER, FOREVER);
    expect(words.settledMs(FOREVER)).toBe(1_680);
    expect(words.settledMs(1_500)).toBe(1_500);
  });

  it('end no later than the speech and the audio', () => {
    const words = new PlacedWords(0, true);
    for (let step = 0; step < 20; step += 1) words.take('', 5_000, 5_000);
    words.take(' word', 5_000, 1_600);
    expect(words.finish()[0]?.word).toEqual({ text: 'word', start_ms: 1_380, end_ms: 1_600 });
    words.take(' last', 1_700, 1_690);
    expect(words.finish()[0]?.word).toEqual({ text: 'last', start_ms: 1_600, end_ms: 1_690 });
  });

  it('lie where the audio ends when no delta is ever empty, and are settled by the answer alone', () => {
    const words = new PlacedWords(2_000, false);
    words.take(' word', 7_000, 6_900);
    expect(words.settledMs(7_000)).toBe(2_000);
    expect(words.finish()[0]?.word).toEqual({ text: 'word', start_ms: 6_700, end_ms: 6_900 });
  });
});
