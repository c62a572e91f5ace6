import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIENT_LIMITS } from '../../src/index.js';
import { AudioRing } from '../../src/replay/audio-ring.js';

/** Bytes that tell where they lie. */
function audio(start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (start + index) % 251;
  return bytes;
}

describe('AudioRing', () => {
  it('keeps the last audio, however it comes and whatever is let go', () => {
    const step = fc.record({ length: fc.nat(90_000), trim: fc.option(fc.nat(400_000), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const ring = new AudioRing(100_000);
        let end = 0;
        let start = 0;
        for (const { length, trim } of steps) {
          ring.push(audio(end, length));
          end += length;
          if (trim !== undefined) ring.trim(trim);
          start = Math.max(start, end - 100_000, Math.min(trim ?? 0, end));
          expect([ring.start, ring.end]).toEqual([start, end]);
          expect(Buffer.compare(ring.slice(start, end), audio(start, end - start))).toBe(0);
        }
      }),
    );
  });

  it('takes the same memory whether audio comes in blocks or sample by sample', () => {
    const { ringPageBytes } = CLIENT_LIMITS;
    for (const length of [2, 640, 32_000, 500_000]) {
      const ring = new AudioRing(200_000);
      for (let end = 0; end < 1_000_000; end += length) ring.push(new Uint8Array(length));
      expect(ring.end - ring.start).toBe(200_000);
      expect(ring.heldBytes).toBeLessThanOrEqual(200_000 + 2 * ringPageBytes);
      ring.trim(ring.end);
      expect(ring.heldBytes).toBeLessThanOrEqual(ringPageBytes);
    }
  });

  it('does not change with what was given to it', () => {
    const ring = new AudioRing(1_000);
    const block = audio(0, 100);
    ring.push(block);
    block.fill(0);
    expect(ring.slice(0, 100)).toEqual(audio(0, 100));
  });
});
