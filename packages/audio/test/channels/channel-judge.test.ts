import { describe, expect, it } from 'vitest';
import { ChannelJudge } from '../../src/channels/index.js';
import { CHANNELS_JUDGED_MS_MAX } from '../../src/limits.js';
import { buzz, delayed, interleaved, noise, RATE_HZ, sum, voice } from './voices.js';

const SECONDS = 12;
const silence = new Float32Array(SECONDS * RATE_HZ);
const TOGETHER = [[0, 1]];
const APART = [[0], [1]];

function judged(first: Float32Array, second: Float32Array, { isWhole = true, pieceFrames = 4_096 } = {}) {
  const judge = new ChannelJudge({ sampleRateHz: RATE_HZ });
  const both = interleaved(first, second);
  for (let at = 0; at < both.length; at += 2 * pieceFrames) {
    judge.push(both.subarray(at, at + 2 * pieceFrames));
  }
  return judge.lanes({ isWhole });
}

/** Whoever speaks is silent while the other one does. */
function turns(): readonly [Float32Array, Float32Array] {
  const isFirst = (i: number): boolean => Math.floor(i / (2.5 * RATE_HZ)) % 2 === 0;
  return [
    voice(1, SECONDS).map((sample, i) => (isFirst(i) ? sample : 0)),
    voice(2, SECONDS).map((sample, i) => (isFirst(i) ? 0 : sample)),
  ];
}

describe('two channels', () => {
  it('are heard apart where two voices take turns, or speak at once', () => {
    expect(judged(...turns())).toEqual(APART);
    expect(judged(voice(1, SECONDS), voice(2, SECONDS))).toEqual(APART);
  });

  it('are heard apart where one says little, late, and far more quietly', () => {
    const late = voice(2, SECONDS).map((sample, i) => (i > 10.5 * RATE_HZ ? 0.05 * sample : 0));
    expect(judged(voice(1, SECONDS), late)).toEqual(APART);
  });

  it('are heard apart though the line brings a faint echo', () => {
    const [first, second] = turns();
    const echo = delayed(first, 220, 0.01);
    expect(judged(first, sum(second, echo))).toEqual(APART);
  });

  it('are one recording where both have the same voice, however loud, inverted or late it is in one', () => {
    const first = sum(voice(1, SECONDS), noise(3, SECONDS, 0.002));
    for (const [ms, gain] of [
      [0, 1],
      [0, -0.3],
      [4, 0.5],
      [25, 0.2],
      [120, 0.5],
      [400, 1],
    ] as const) {
      const second = sum(delayed(voice(1, SECONDS), ms, gain), noise(4, SECONDS, 0.002));
      expect(judged(first, second), `${ms} ms, ${gain}`).toEqual(TOGETHER);
    }
  });

  it('are one recording where each microphone hears both voices', () => {
    const [first, second] = turns();
    const room = (near: Float32Array, far: Float32Array, seed: number): Float32Array =>
      sum(near, delayed(far, 5, 0.2), noise(seed, SECONDS, 0.001));
    expect(judged(room(first, second, 3), room(second, first, 4))).toEqual(TOGETHER);
  });

  it('are one recording where a voice in the middle stands in sound that differs', () => {
    const speaker = voice(1, SECONDS);
    expect(judged(sum(speaker, voice(7, SECONDS)), sum(speaker, voice(8, SECONDS)))).toEqual(TOGETHER);
  });

  it('are heard without the one that is silent, hums or hisses', () => {
    expect(judged(voice(1, SECONDS), silence)).toEqual([[0]]);
    expect(judged(silence, voice(1, SECONDS))).toEqual([[1]]);
    expect(judged(voice(1, SECONDS), buzz(SECONDS, 0.2))).toEqual([[0]]);
    expect(judged(noise(2, SECONDS, 0.05), voice(1, SECONDS))).toEqual([[1]]);
  });

  it('keep a quiet channel that was not heard to its end', () => {
    expect(judged(voice(1, SECONDS), silence, { isWhole: false })).toEqual(TOGETHER);
  });

  it('are one recording where nothing is said', () => {
    expect(judged(silence, silence)).toEqual(TOGETHER);
    expect(judged(new Float32Array(0), new Float32Array(0))).toEqual(TOGETHER);
    expect(judged(Float32Array.of(Number.NaN), Float32Array.of(1))).toEqual(TOGETHER);
  });

  it('are judged the same however the sound is cut, and by the end of a last second', () => {
    const short = (seed: number): Float32Array => voice(seed, SECONDS).subarray(0, 0.7 * RATE_HZ);
    for (const pieceFrames of [1, 777, 1_000_000]) {
      expect(judged(short(1), short(3), { pieceFrames }), String(pieceFrames)).toEqual(APART);
    }
  });
});

describe('a long recording', () => {
  it('is looked at until it is clear, at most for half an hour', () => {
    const same = new ChannelJudge({ sampleRateHz: RATE_HZ });
    const block = interleaved(voice(1, 10), voice(1, 10));
    for (let seconds = 0; seconds < 60; seconds += 10) same.push(block);
    expect(same.isSettled).toBe(true);
    const quiet = new ChannelJudge({ sampleRateHz: 1_000 });
    quiet.push(new Float32Array((CHANNELS_JUDGED_MS_MAX - 30_000) * 2));
    expect(quiet.isSettled).toBe(false);
    quiet.push(new Float32Array(60_000 * 2));
    expect(quiet.isSettled).toBe(true);
  });
});
