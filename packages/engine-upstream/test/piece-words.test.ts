import { describe, expect, it } from 'vitest';
import { PieceWords } from '../src/piece-words.js';

const STEP_MS = 80;

/** Deltas by step; what is whole after each, and after all of them. */
function place(steps: Readonly<Record<number, string>>, count: number): string[] {
  const words = new PieceWords();
  const told: string[] = [];
  let floorMs = 0;
  for (let step = 1; step <= count; step += 1) {
    for (const { text, startMs, endMs } of words.take(steps[step] ?? '', step * STEP_MS, floorMs)) {
      told.push(`${step}:${text}@${startMs}-${endMs}`);
      floorMs = endMs;
    }
  }
  for (const { text, startMs, endMs } of words.finish()) told.push(`end:${text}@${startMs}-${endMs}`);
  return told;
}

describe('words made of pieces', () => {
  it('are whole when the next one begins, and end where their last piece came', () => {
    expect(place({ 10: ' Hel', 12: 'lo', 15: ' wor', 16: 'ld.' }, 20)).toEqual([
      '15:Hello@500-960',
      'end:world.@960-1280',
    ]);
  });

  it('are whole when nothing was added for a second', () => {
    expect(place({ 10: ' Hi' }, 30)).toEqual(['22:Hi@500-800']);
  });

  it('are characters where writing has no spaces', () => {
    const told = place({ 5: '聞き', 6: '取', 9: 'り。' }, 10);
    expect(told.map((text) => text.replace(/@.*/, ''))).toEqual(['6:聞き', '9:取', 'end:り。']);
  });

  it('may come several in one piece', () => {
    expect(place({ 20: ' one two' }, 20)).toEqual(['20:one@1300-1600', 'end:two@1600-1600']);
  });

  it('are shown while they grow, and space alone is none', () => {
    const words = new PieceWords();
    expect(words.take(' ', 800, 0)).toEqual([]);
    expect(words.pending).toBeUndefined();
    words.take('par', 880, 0);
    expect(words.pending).toEqual({ text: 'par', startMs: 580, endMs: 880 });
    expect(words.finish()).toEqual([{ text: 'par', startMs: 580, endMs: 880 }]);
    expect(words.finish()).toEqual([]);
  });
});
