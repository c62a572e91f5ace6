import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioBuffer } from '../../src/recognition/audio-buffer.js';

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

  it('forgets whole blocks of a second, and holds tiny pieces in blocks too', () => {
    const buffer = new AudioBuffer();
    for (let i = 0; i < 40_000; i += 1) buffer.append(Float32Array.of(i));
    buffer.dropBefore(33_000);
    expect(buffer.start).toBe(32_000);
    expect([...buffer.slice(0, 32_003)]).toEqual([32_000, 32_001, 32_002]);
    buffer.dropBefore(1e9);
    expect(buffer.end).toBe(40_000);
    buffer.append(Float32Array.of(7));
    expect([...buffer.slice(40_000, 50_000)]).toEqual([7]);
  });
});
