import { describe, expect, it } from 'vitest';
import { CountedTurn } from '../../src/replay/counted-turn.js';

const FOREVER = Number.POSITIVE_INFINITY;

/** Deltas by step, from 1; what each meant, and where a word was once it was whole. */
function told(
  steps: Readonly<Record<number, string>>,
  count: number,
  turn = new CountedTurn(1_000),
  sentMs = FOREVER,
) {
  const log: string[] = [];
  const note = (
    step: string,
    piece: { type: string; word: { written: string; startMs: number; endMs: number } },
  ) => {
    const { written, startMs, endMs } = piece.word;
    log.push(
      `${step} ${piece.type} ${written.trim()}${piece.type === 'whole' ? ` ${startMs}-${endMs}` : ''}`,
    );
  };
  for (let step = 1; step <= count; step += 1) {
    for (const piece of turn.take(steps[step] ?? '', sentMs)) note(String(step), piece);
  }
  for (const piece of turn.finish()) note('end', piece);
  return log;
}

describe('a turn whose deltas are counted', () => {
  it('places a word from its first piece to its last, each 80 ms a step', () => {
    expect(told({ 10: ' Hel', 12: 'lo', 15: ' wor', 16: 'ld.' }, 16)).toEqual([
      '10 begin Hel',
      '12 more Hello',
      '15 whole Hello 1500-1960',
      '15 begin wor',
      '16 more world.',
      'end whole world. 1960-2280',
    ]);
  });

  it('holds a word to be whole when nothing was added for a second', () => {
    expect(told({ 10: ' Hi' }, 30)).toEqual(['10 begin Hi', '22 whole Hi 1500-1800']);
  });

  it('takes characters for words where writing has no spaces', () => {
    const words = told({ 5: '聞き', 6: '取', 9: 'り。', 10: 'つ', 11: 'CD' }, 11).filter((line) =>
      line.includes('whole'),
    );
    expect(words.map((line) => line.split(' ')[2])).toEqual(['聞き', '取', 'り。', 'つ', 'CD']);
  });

  it('takes several words of one delta apart', () => {
    expect(told({ 20: ' one two' }, 20)).toEqual([
      '20 begin one',
      '20 whole one 2300-2600',
      '20 begin two',
      'end whole two 2600-2600',
    ]);
  });

  it('places nothing behind the audio that was sent', () => {
    expect(told({ 20: ' late' }, 20, new CountedTurn(0), 1_500)).toEqual([
      '20 begin late',
      'end whole late 1200-1500',
    ]);
  });

  it('is settled up to the word that may still grow', () => {
    const turn = new CountedTurn(0);
    const step = (delta = ''): number => {
      for (const _ of turn.take(delta, FOREVER));
      return turn.settledMs(FOREVER);
    };
    for (let count = 1; count < 20; count += 1) step();
    expect(step()).toBe(1_600);
    expect(step(' par')).toBe(1_380);
    expect(step()).toBe(1_380);
    expect(step(' next')).toBe(1_680);
    expect(turn.settledMs(1_500)).toBe(1_500);
  });
});
