import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer } from '../src/framer.js';
import { FRAME_SAMPLES_MAX } from '../src/limits.js';

describe('Framer', () => {
  it('cuts any stream into frames of one length and gives the rest at the flush', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(50)), (frameSamples, lengths) => {
        const framer = new Framer(frameSamples);
        const frames: Float32Array[] = [];
        let next = 0;
        for (const length of lengths) {
          frames.push(...framer.push(Float32Array.from({ length }, () => next++)));
          expect(framer.pendingSamples).toBe(next % frameSamples);
        }
        expect(frames.every((frame) => frame.length === frameSamples)).toBe(true);
        const rest = framer.flush();
        expect(rest?.length ?? 0).toBe(next % frameSamples);
        const all = [...frames.flatMap((frame) => [...frame]), ...(rest ?? [])];
        expect(all).toEqual(Array.from({ length: next }, (_, i) => i));
        expect(framer.flush()).toBeUndefined();
      }),
    );
  });

  it('hands out frames that later pushes do not change', () => {
    const framer = new Framer(2);
    const [frame] = framer.push(Float32Array.of(1, 2));
    framer.push(Float32Array.of(3, 4));
    expect([...(frame ?? [])]).toEqual([1, 2]);
  });

  it('refuses lengths that are no lengths', () => {
    for (const length of [0, -1, 1.5, Number.NaN, FRAME_SAMPLES_MAX + 1]) {
      expect(() => new Framer(length)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });
});
