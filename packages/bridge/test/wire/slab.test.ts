import { expect, it } from 'vitest';
import { Slab } from '../../src/wire/slab.js';
import type { Wire } from '../../src/wire/wire.js';

/** As far as a slab sees it: takes bytes at once, or keeps them waiting. */
function wire(takes: boolean): { wire: Wire; written: Uint8Array[] } {
  const written: Uint8Array[] = [];
  const fake = { unsentBytes: 0, write: (bytes: Uint8Array): void => void written.push(bytes) };
  const counted = {
    ...fake,
    get unsentBytes() {
      return takes ? 0 : written.reduce((sum, { length }) => sum + length, 0);
    },
  };
  // The two members above are all that a slab uses.
  return { wire: counted as unknown as Wire, written };
}

it('writes what was gathered in one go, and uses the memory again once it was taken', () => {
  const slab = new Slab();
  const fast = wire(true);
  for (let i = 0; i < 3; i += 1) {
    slab.gather(Uint8Array.of(9, 1, 2, 9), 1, 3);
    slab.gather(Uint8Array.of(i));
    slab.flushTo(fast.wire);
  }
  expect(fast.written.map(({ byteOffset, length }) => [byteOffset, length])).toEqual([
    [0, 3],
    [0, 3],
    [0, 3],
  ]);
  expect(slab.gatheredBytes).toBe(0);
});

it('leaves alone what a socket has not taken, however much more comes', () => {
  const slab = new Slab();
  const slow = wire(false);
  const parts = Array.from({ length: 30 }, (_, i) => new Uint8Array(30_000).fill(i));
  for (const part of parts) {
    slab.gather(part);
    slab.flushTo(slow.wire);
  }
  expect(slow.written.map((bytes) => [bytes.length, bytes[0], bytes.at(-1)])).toEqual(
    parts.map((_, i) => [30_000, i, i]),
  );
});

it('grows for what is larger than it, and gives it away whole', () => {
  const slab = new Slab();
  slab.gather(new Uint8Array(1_000_000).fill(1));
  slab.gather(Uint8Array.of(2));
  const taken = slab.take();
  expect([taken.length, taken[0], taken.at(-1)]).toEqual([1_000_001, 1, 2]);
  expect(slab.gatheredBytes).toBe(0);
});
