import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioBuffer } from '../../src/stream/audio-buffer.js';

describe('the recent past of the audio', () => {
  it('gives back any stretch however it was cut, as long as it was not forgotten', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { maxLength: 20 }),
        fc.nat(600),
        fc.nat(600),
        fc.nat(600),
        (sizes, from, to, drop) => {
          const buffer = new AudioBuffer();
          let next = 0;
          for (const size of sizes) buffer.append(Float32Array.from({ length: size }, () => next++));
          buffer.dropBefore(drop);
          expect(buffer.start).toBeLessThanOrEqual(Math.max(drop, 0));
          expect(buffer.end).toBe(next);
          const begin = Math.max(from, buffer.start);
          const expected = Array.from(
            { length: Math.max(0, Math.min(to, next) - begin) },
            (_, i) => begin + i,
          );
          expect([...buffer.slice(from, to)]).toEqual(expected);
        },
      ),
    );
  });

  it('forgets', () => {
    const buffer = new AudioBuffer();
    for (let i = 0; i < 10; i += 1) buffer.append(new Float32Array(100));
    buffer.dropBefore(550);
    expect(buffer.start).toBe(500);
    expect(buffer.slice(0, 600)).toHaveLength(100);
  });
});
