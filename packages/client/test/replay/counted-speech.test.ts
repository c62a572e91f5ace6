import { describe, expect, it } from 'vitest';
import { CountedSpeech } from '../../src/replay/counted-speech.js';
import { ToldWords } from '../../src/replay/told-words.js';

describe('the place where a turn begins that hears words again', () => {
  const speech = new CountedSpeech(new ToldWords());
  speech.beginTurn(100, false);

  it('lies a whole number of steps behind that of the last one, at or in front of where it was wanted', () => {
    expect([820, 830, 899, 900].map((ms) => speech.align(ms, 0))).toEqual([820, 820, 820, 900]);
  });

  it('lies behind what is closed', () => {
    expect([820, 821].map((floorMs) => speech.align(830, floorMs))).toEqual([820, 900]);
  });
});
