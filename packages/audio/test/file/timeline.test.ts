import { describe, expect, it } from 'vitest';
import { HOLE_MS_MAX, SILENCE_PER_SOUND_MAX } from '../../src/file/limits.js';
import { Timeline } from '../../src/file/timeline.js';
import { hear, WAYS } from './decoding.js';
import { type SmallBlock, smallMatroska } from './small-matroska.js';

const LOUD = 16_384;

function sound(atMs: number, lengthMs = 1_000, track = 1): SmallBlock {
  return { track, atMs, value: LOUD, lengthMs };
}

/** When the sound goes on and off, in ms; a filter's edges are not judged. */
function edgesMs(samples: Float32Array): number[] {
  const edges: number[] = [];
  samples.forEach((sample, at) => {
    const isOn = edges.length % 2 === 1;
    if (sample > 0.25 !== isOn) edges.push(Math.round(at / 16));
  });
  return [...edges, Math.round(samples.length / 16)];
}

describe.each(WAYS)('the times of a container, %s', (_, options) => {
  it('put sound where it belongs that begins after the picture', async () => {
    const tracks = [{ type: 'sound' }, { type: 'picture' }] as const;
    const picture = { track: 2, atMs: 0, value: 0, lengthMs: 10 };
    const { file, samples } = await hear(smallMatroska(tracks, [picture, sound(5_000)]), options);
    expect([edgesMs(samples), file.isDamaged]).toEqual([[5_000, 6_000], false]);
  });

  it('put silence where there was no sound, and none where clocks differ by little', async () => {
    const blocks = [sound(0), sound(1_040), sound(22_000), sound(23_000)];
    const { file, samples } = await hear(smallMatroska([{ type: 'sound' }], blocks), options);
    expect([edgesMs(samples), file.isDamaged]).toEqual([[0, 2_000, 22_000, 24_000], false]);
  });

  it('never take sound away', async () => {
    const blocks = [sound(0), sound(200), sound(100), sound(3_000)];
    const { samples } = await hear(smallMatroska([{ type: 'sound' }], blocks), options);
    expect(edgesMs(samples)).toEqual([0, 4_000]);
  });

  it('that lie make no hours of silence, and that is told', async () => {
    const blocks = [sound(0), sound(HOLE_MS_MAX + 2_000), sound(HOLE_MS_MAX + 5_000)];
    const { file, samples } = await hear(smallMatroska([{ type: 'sound' }], blocks), options);
    expect([edgesMs(samples), file.isDamaged]).toEqual([[0, 2_000, 4_000, 5_000], true]);
    expect(file.remarks).toEqual(['The file is damaged: what could be read of it was transcribed.']);
  });
});

describe('the bound on silence', () => {
  it('lets a sender be silent that says so from time to time', () => {
    const timeline = new Timeline(0);
    for (let clockMs = 0; clockMs < 10 * HOLE_MS_MAX; clockMs += 400) {
      timeline.silenceBefore(clockMs);
      timeline.pass(20);
    }
    expect(timeline.hasClosed).toBe(false);
  });

  it('is an hour, and twenty times the sound, however many holes there are', () => {
    const timeline = new Timeline(0);
    let silenceMs = 0;
    for (let count = 1; count <= 100; count += 1) {
      silenceMs += timeline.silenceBefore(count * HOLE_MS_MAX * 0.4);
      timeline.pass(1_000);
    }
    expect(timeline.hasClosed).toBe(true);
    expect(silenceMs).toBeLessThanOrEqual(HOLE_MS_MAX + SILENCE_PER_SOUND_MAX * 100_000);
  });
});
