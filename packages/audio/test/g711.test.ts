import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '../src/g711.js';

// The ESM entry of this oracle lacks file endings that Node wants.
const oracle: typeof import('alawmulaw') = createRequire(import.meta.url)('alawmulaw');

const everyCode = Uint8Array.from({ length: 256 }, (_, i) => i);
const everySample = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);

/** G.191's reference, in its own steps. */
function muLawOfItu(sample: number): number {
  const magnitude = Math.min((sample < 0 ? ~sample >> 2 : sample >> 2) + 33, 0x1fff);
  let segment = 1;
  for (let rest = magnitude >> 6; rest !== 0; rest >>= 1) segment++;
  const code = ((8 - segment) << 4) | (15 - ((magnitude >> segment) & 15));
  return sample < 0 ? code : code | 0x80;
}
function aLawOfItu(sample: number): number {
  let bits = sample < 0 ? ~sample >> 4 : sample >> 4;
  if (bits > 15) {
    let exponent = 1;
    for (; bits > 31; bits >>= 1) exponent++;
    bits = bits - 16 + (exponent << 4);
  }
  return (sample < 0 ? bits : bits | 0x80) ^ 0x55;
}

const laws = [
  ['µ-law', decodeMuLaw, encodeMuLaw, oracle.mulaw, muLawOfItu],
  ['A-law', decodeALaw, encodeALaw, oracle.alaw, aLawOfItu],
] as const;

describe.each(laws)('%s', (name, decode, encode, library, itu) => {
  it('decodes every code as the oracle does', () => {
    expect([...decode(everyCode)]).toEqual(Array.from(everyCode, (code) => library.decodeSample(code) + 0));
  });

  it("encodes every sample as the ITU's reference software does", () => {
    expect(Buffer.from(encode(everySample)).equals(Buffer.from(Array.from(everySample, itu)))).toBe(true);
  });

  it('encodes as the oracle does, but for a negative sample exactly on a decision value', () => {
    const ours = encode(everySample);
    const theirs = Uint8Array.from(everySample, (sample) => library.encodeSample(sample) & 0xff);
    const different = [...everySample.keys()].filter((i) => ours[i] !== theirs[i]);
    expect(different.length).toBe(127);
    for (const i of different) {
      expect(everySample[i]).toBeLessThan(0);
      // The neighbours agree, and the one value between them is all that the two draw differently.
      expect([ours[i], theirs[i]]).toEqual([theirs[i + 1], ours[i - 1]]);
    }
  });

  it('gives every code back but the minus zero of µ-law', () => {
    const expected = Array.from(everyCode, (code) => (name === 'µ-law' && code === 0x7f ? 0xff : code));
    expect([...encode(decode(everyCode))]).toEqual(expected);
  });

  it('never turns a louder sample into a lower level', () => {
    const levels = decode(encode(everySample));
    expect(levels.every((level, i) => i === 0 || level >= (levels[i - 1] ?? 0))).toBe(true);
    expect([levels[0], levels.at(-1)]).toEqual(name === 'µ-law' ? [-32_124, 32_124] : [-32_256, 32_256]);
  });
});

describe('G.711', () => {
  it('has the levels of the recommendation', () => {
    expect([...decodeMuLaw(Uint8Array.of(0x00, 0x80, 0x7f, 0xff, 0xfe, 0x7e))]).toEqual([
      -32_124, 32_124, 0, 0, 8, -8,
    ]);
    expect([...decodeALaw(Uint8Array.of(0x2a, 0xaa, 0x55, 0xd5, 0xd4))]).toEqual([
      -32_256, 32_256, -8, 8, 24,
    ]);
  });
});
