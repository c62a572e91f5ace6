import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../src/recognition/policy.js';
import { SpeechTimeline } from '../../src/recognition/speech-timeline.js';

const FRAME = 512;
/** Parts of a timeline in frames of 32 ms, as probabilities. */
const speech = (frames: number): number[] => Array(frames).fill(0.9);
const silence = (frames: number): number[] => Array(frames).fill(0.05);
const unsure = (frames: number): number[] => Array(frames).fill(0.42);

function timeline(...parts: number[][]): SpeechTimeline {
  const result = new SpeechTimeline(DEFAULT_POLICY);
  result.push(Float32Array.from(parts.flat()));
  return result;
}

describe('stretches of speech', () => {
  it('begin with the first speech frame and end with the last one', () => {
    const [stretch] = timeline(silence(10), speech(20), silence(20)).stretches;
    expect(stretch).toMatchObject({ start: 10 * FRAME, end: 30 * FRAME, confirmed: true, closed: true });
  });

  it('go on over a breath that is too short to cut at', () => {
    const found = timeline(speech(20), silence(19), speech(20)).stretches;
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ end: 59 * FRAME, closed: false });
  });

  it('are two when the silence is long enough', () => {
    const found = timeline(speech(20), silence(20), speech(20)).stretches;
    expect(found.map(({ start, closed }) => [start, closed])).toEqual([
      [0, true],
      [40 * FRAME, false],
    ]);
  });

  it('are not begun by a click, and leave no trace of it', () => {
    const click = timeline(silence(10), speech(2), silence(20));
    expect(click.stretches).toEqual([]);
  });

  it('are neither begun nor ended by frames in doubt', () => {
    expect(timeline(silence(5), unsure(20)).stretches).toEqual([]);
    expect(timeline(speech(5), unsure(20)).stretches[0]).toMatchObject({ end: 25 * FRAME, closed: false });
  });

  it('end when no more audio comes', () => {
    const open = timeline(speech(20));
    open.closeOpen();
    expect(open.stretches[0]?.closed).toBe(true);
    open.push(Float32Array.from(speech(5)));
    expect(open.stretches).toHaveLength(2);
  });

  it('are cut in the middle of their pauses where they are to be heard in parts', () => {
    const long = timeline(speech(10), silence(4), speech(30), silence(2), speech(40), silence(20), speech(5));
    expect(long.split(1000)).toBe(true);
    expect(long.stretches.map(({ start, end, isPart }) => [start / FRAME, end / FRAME, isPart])).toEqual([
      [0, 45, true],
      [45, 86, true],
      [106, 111, undefined],
    ]);
    expect(long.split(320)).toBe(false);
  });

  it('are not cut where they have no pause, or are not over', () => {
    expect(timeline(speech(40), silence(1), speech(40), silence(20)).split(1000)).toBe(false);
    expect(timeline(speech(40), silence(4), speech(40)).split(1000)).toBe(false);
    expect(timeline(silence(40)).split(1000)).toBe(false);
  });

  it('do not depend on how the frames arrive', () => {
    const frames = [
      ...silence(7),
      ...speech(30),
      ...silence(12),
      ...unsure(3),
      ...speech(40),
      ...silence(15),
    ];
    const whole = timeline(frames).stretches;
    const single = new SpeechTimeline(DEFAULT_POLICY);
    for (const probability of frames) single.push(Float32Array.of(probability));
    expect(single.stretches).toEqual(whole);
  });
});

describe('the silence between two words', () => {
  it('is found by its end, the last one first', () => {
    const found = timeline(speech(10), silence(4), speech(10), silence(3), speech(10));
    expect(found.silenceEnd(0, 37 * FRAME)).toBe(27 * FRAME);
    expect(found.silenceEnd(0, 20 * FRAME)).toBe(14 * FRAME);
    expect(found.silenceEnd(28 * FRAME, 37 * FRAME)).toBeUndefined();
  });
});

describe('the speech between two words', () => {
  it('is counted in frames whose middle lies there, those in doubt as what they follow', () => {
    const found = timeline(silence(5), unsure(5), speech(10), unsure(5), silence(5), speech(10));
    expect(found.speechMs(0, 40 * FRAME)).toBe(25 * 32);
    expect(found.speechMs(12 * FRAME + 200, 14 * FRAME + 300)).toBe(3 * 32);
    expect(found.speechMs(12 * FRAME + 300, 14 * FRAME + 200)).toBe(32);
    expect(found.speechMs(20 * FRAME, 20 * FRAME)).toBe(0);
  });

  it('begins with its first frame, or where it is asked for inside of it', () => {
    const found = timeline(silence(5), speech(10), silence(5), speech(10), silence(5));
    expect(found.speechStart(0)).toBe(5 * FRAME);
    expect(found.speechStart(7 * FRAME + 20)).toBe(7 * FRAME + 20);
    expect(found.speechStart(15 * FRAME)).toBe(20 * FRAME);
    expect(found.speechStart(13 * FRAME)).toBe(20 * FRAME);
    expect(found.speechStart(30 * FRAME)).toBeUndefined();
  });

  it('is the same after what lies before was forgotten', () => {
    const found = timeline(silence(300), speech(10), silence(5), speech(10));
    found.forgetBefore(290 * FRAME);
    expect(found.speechMs(305 * FRAME, 320 * FRAME)).toBe(10 * 32);
    expect(found.speechStart(310 * FRAME)).toBe(315 * FRAME);
  });
});
