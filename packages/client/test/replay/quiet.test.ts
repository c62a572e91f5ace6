import { describe, expect, it } from 'vitest';
import { AudioRing, BYTES_PER_MS } from '../../src/replay/audio-ring.js';
import { pauseBehind, quietestMs } from '../../src/replay/quiet.js';

/** Loud, then quiet, then loud: as many milliseconds of each, by turns. */
function ringOf(...spansMs: readonly number[]): AudioRing {
  const ring = new AudioRing(1_000_000);
  for (const [index, ms] of spansMs.entries()) {
    const level = index % 2 === 0 ? 8_000 : 20;
    const samples = Int16Array.from({ length: ms * 16 }, (_, at) => (at % 2 === 0 ? level : -level));
    ring.push(new Uint8Array(samples.buffer));
  }
  return ring;
}

describe('quietestMs', () => {
  it('cuts in the pause, wherever it is looked for around it', () => {
    const ring = ringOf(1_000, 200, 1_000);
    for (const fromMs of [0, 500, 950]) {
      const cutMs = quietestMs(ring, fromMs, 2_000);
      expect(cutMs).toBeGreaterThanOrEqual(1_040);
      expect(cutMs).toBeLessThanOrEqual(1_160);
    }
  });

  it('cuts at the beginning where there is too little to choose from', () => {
    expect(quietestMs(ringOf(1_000), 300, 350)).toBe(300);
    expect(quietestMs(ringOf(1_000), 300, 200)).toBe(300);
  });

  it('looks at nothing that was let go', () => {
    const ring = ringOf(200, 200, 1_000, 200, 400);
    ring.trim(600 * BYTES_PER_MS);
    expect(quietestMs(ring, 0, 2_000)).toBeGreaterThanOrEqual(1_440);
  });
});

describe('pauseBehind', () => {
  it('finds the first pause that is long enough', () => {
    const ring = ringOf(1_000, 100, 1_000, 400, 500);
    const found = (pauseBehind(ring, 0, 300) ?? 0) / BYTES_PER_MS;
    expect(found).toBeGreaterThanOrEqual(2_100);
    expect(found).toBeLessThanOrEqual(2_500);
  });

  it('finds none where nobody pauses, and the quietest place where any will do', () => {
    const ring = ringOf(2_000);
    expect(pauseBehind(ring, 0, 300)).toBeUndefined();
    expect(pauseBehind(ring, 640 * BYTES_PER_MS, 0)).toBeGreaterThanOrEqual(640 * BYTES_PER_MS);
  });

  it('never answers with a place in front of the one that was asked for', () => {
    const ring = ringOf(500, 1_000, 500);
    expect(pauseBehind(ring, 1_400 * BYTES_PER_MS, 300)).toBeGreaterThanOrEqual(1_400 * BYTES_PER_MS);
  });
});
