import { describe, expect, it } from 'vitest';
import { silentDisplay } from '../../src/terminal/display.js';
import { type SpeechStatus, speechRow } from '../../src/terminal/status-row.js';

const FILE: SpeechStatus = {
  sentMs: 90_000,
  doneMs: 30_000,
  totalMs: 120_000,
  lagMs: undefined,
  speed: 4,
  levelsDb: [-20],
};

const rowOf = (status: Partial<SpeechStatus>, cells = 79): string =>
  speechRow({ ...FILE, ...status }, cells, silentDisplay.style);

describe('the row of a file', () => {
  it('shows what was transcribed and not what was sent, and the time that is left', () => {
    expect(rowOf({})).toMatch(/^█{6}░{18} 25 % {2}0:30 of 2:00 {2}0:23 left {2}4\.0x/);
  });

  it('says no time while the speed is a guess', () => {
    expect(rowOf({ speed: undefined })).not.toContain('left');
    expect(rowOf({ doneMs: 0, speed: 0 })).not.toContain('left');
  });

  it('counts a part of a second as one, and nothing at the end', () => {
    expect(rowOf({ doneMs: 119_900 })).toContain('0:01 left');
    expect(rowOf({ doneMs: 120_000 })).toContain('100 %  2:00 of 2:00  0:00 left');
  });

  it('leaves out at the end what a narrow terminal has no room for', () => {
    expect(rowOf({}, 39)).toBe('██░░░░░░ 25 %  0:30 of 2:00  0:23 left');
  });
});

it('the row of a pipe shows how long it is already, and how far words are behind', () => {
  expect(rowOf({ totalMs: undefined, lagMs: 1_200 })).toMatch(/^● 1:30 .*lag 1\.2 s$/);
});
