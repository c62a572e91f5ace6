import { describe, expect, it } from 'vitest';
import { byteSize, clockTime, levelFraction, levelHistory, progressBar } from '../../src/terminal/figures.js';

describe('figures', () => {
  it.each([
    [0, '0:00'],
    [7_999, '0:07'],
    [65_000, '1:05'],
    [3_725_000, '1:02:05'],
    [-5, '0:00'],
  ])('reads %d ms as %s', (ms, expected) => expect(clockTime(ms)).toBe(expected));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [63_400_000, '63.4 MB'],
    [999_960, '1.0 MB'],
    [2_500_000_000, '2.5 GB'],
  ])('reads %d bytes as %s', (bytes, expected) => expect(byteSize(bytes)).toBe(expected));

  it('draws bars of one width, empty, in parts and full, also out of range', () => {
    expect(progressBar(0, 4)).toBe('░░░░');
    expect(progressBar(0.5, 4)).toBe('██░░');
    expect(progressBar(0.53, 4)).toBe('██▏░');
    expect(progressBar(1, 4)).toBe('████');
    expect(progressBar(7, 4)).toBe('████');
    expect(progressBar(-1, 4)).toBe('░░░░');
  });

  it('draws the newest levels on the right', () => {
    expect(levelFraction(-100)).toBe(0);
    expect(levelFraction(0)).toBe(1);
    expect(levelHistory([-100, 0], 4)).toBe('   █');
    expect(levelHistory([0, 0, -60, -30], 2)).toBe(' ▄');
  });
});
