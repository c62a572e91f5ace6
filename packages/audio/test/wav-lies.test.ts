import { describe, expect, it } from 'vitest';
import { WavDecoder } from '../src/wav-decoder.js';
import { chunk, type FormatFields, format, id, riff, u16, u32 } from './wav-bytes.js';

const LENGTH = 6_000;
/** Sound, so far as anybody can tell: a tone that swells and fades, 16 bits. */
const tone = Int16Array.from({ length: LENGTH }, (_, at) =>
  Math.round(9_000 * Math.sin(at / 300) * Math.sin(at / 7)),
);
const bytesOf = (samples: Int16Array | Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
const heard = Float32Array.from(tone, (sample) => sample / 32_768);

/** The same file each time: xorshift. */
const noise = ((): Uint8Array => {
  let state = 1;
  return Uint8Array.from({ length: 6_000 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
})();

interface Decoded {
  readonly samples: Float32Array;
  readonly isTruncated: boolean;
  readonly leftOutBytes: number;
  readonly next: Uint8Array | undefined;
}

function decode(bytes: Uint8Array, pieceBytes = bytes.length): Decoded {
  const decoder = new WavDecoder();
  const parts: Float32Array[] = [];
  let at = 0;
  for (; at < bytes.length && decoder.next === undefined; at += pieceBytes) {
    parts.push(decoder.push(bytes.subarray(at, at + pieceBytes)));
  }
  const { rest, isTruncated, leftOutBytes } = decoder.finish();
  const samples = Float32Array.from([...parts, rest].flatMap((part) => [...part]));
  const next = decoder.next && Uint8Array.from([...decoder.next, ...bytes.subarray(at)]);
  return { samples, isTruncated, leftOutBytes, next };
}

/** A header of these fields, then these bytes; sizes as stated. */
function wav(
  fields: FormatFields,
  data: Uint8Array,
  dataSize = data.length,
  riffSize = 36 + data.length,
): Uint8Array {
  return Uint8Array.from([
    ...riff([[...format(fields)], [...id('data'), ...u32(dataSize)]], 'RIFF', riffSize),
    ...data,
  ]);
}

const tail = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
const whole = wav({}, bytesOf(tone));

describe('sizes that lie', () => {
  it.each([
    ['the sound is longer than its chunk says', wav({}, bytesOf(tone), 4_000)],
    ['and than the file says', wav({}, bytesOf(tone), 4_000, 4_036)],
    ['as one beyond 32 bits does', wav({}, bytesOf(tone), 0, 36)],
    ['half a sample longer', wav({}, bytesOf(tone), 4_001, 4_037)],
  ])('are not believed: %s', (_, bytes) => {
    for (const pieceBytes of [bytes.length, 997]) {
      expect(decode(bytes, pieceBytes)).toMatchObject({
        samples: heard,
        isTruncated: false,
        leftOutBytes: 0,
      });
    }
  });

  it.each([
    ['compressed data', noise, noise.length],
    ['text', Uint8Array.from(id('It was the best of times. '.repeat(200))), 5_200],
    ['a tag', tail(Uint8Array.from(id('TAG')), new Uint8Array(3_000).fill(0x44)), 0],
    ['a few bytes', noise.subarray(0, 300), 0],
  ])('leave out what is no sound, and count it: %s', (_, rest, leftOutBytes) => {
    for (const pieceBytes of [100_000, 97]) {
      expect(decode(tail(whole, rest), pieceBytes)).toMatchObject({ samples: heard, leftOutBytes });
    }
  });
});

describe('WAV files one behind the other', () => {
  const other = wav({ rateHz: 8_000 }, bytesOf(tone.subarray(0, 2_000)));
  it.each([
    ['at once', whole],
    ['behind chunks', tail(whole, Uint8Array.from(chunk('LIST', [...u16(1), ...u16(2)])))],
    ['behind junk', tail(whole, noise)],
    ['behind a tag', tail(whole, Uint8Array.from(id('ID3')), new Uint8Array(700))],
    ['where the first does not say how long it is', wav({}, bytesOf(tone), 0xffffffff, 0xffffffff)],
  ])('end each where the next begins: %s', (_, first) => {
    for (const pieceBytes of [100_000, 997, 13]) {
      const { samples, next, isTruncated } = decode(tail(first, other), pieceBytes);
      // Where a head is cut by the pieces, up to 11 bytes of it were taken for samples.
      expect(samples.length - heard.length).toBeLessThan(6);
      expect(samples.subarray(0, heard.length)).toEqual(heard);
      expect([next, isTruncated]).toEqual([other, false]);
    }
  });

  it('says that the first was cut off', () => {
    const { next, isTruncated } = decode(tail(wav({}, bytesOf(tone), 20_000), other));
    expect([next, isTruncated]).toEqual([other, true]);
  });
});

describe('headers that contradict themselves', () => {
  const upper = Int32Array.from(tone, (sample) => sample * 65_536);
  const lower = Int32Array.from(tone, (sample) => sample * 256 + 7);
  const stereo = Int16Array.from({ length: 2 * LENGTH }, (_, at) => tone[at >> 1] ?? 0);
  it.each([
    ['a frame of 0 bytes', { align: 0 }, bytesOf(tone), heard],
    ['a frame of 16 bytes for one channel', { align: 16 }, bytesOf(tone), heard],
    ['a frame of 7 bytes', { align: 7 }, bytesOf(tone), heard],
    [
      'a frame of 8 bytes for two channels',
      { channels: 2, align: 8 },
      bytesOf(stereo),
      Float32Array.from(stereo, (sample) => sample / 32_768),
    ],
    ['24 bits in the upper of 32', { bits: 24, align: 4 }, bytesOf(upper), heard],
    [
      '24 bits in the lower of 32',
      { bits: 24, align: 4 },
      bytesOf(lower),
      Float32Array.from(lower, (sample) => sample / 2 ** 23),
    ],
    ['floats of integers', { tag: 3, bits: 32 }, bytesOf(Float32Array.from(tone)), heard],
  ])('are held against the samples: %s', (_, fields, data, samples) => {
    for (const pieceBytes of [data.length + 44, 997])
      expect(decode(wav(fields, data), pieceBytes).samples).toEqual(samples);
  });

  it('does so behind silence, of which nothing is lost', () => {
    const silent = new Int16Array(100_000);
    const { samples } = decode(wav({ align: 16 }, tail(bytesOf(silent), bytesOf(tone))), 65_536);
    expect(samples.length).toBe(106_000);
    expect(samples.subarray(100_000)).toEqual(heard);
  });

  it('knows G.711 that states no bits, and a format whose name is in capitals', () => {
    const mulaw = Uint8Array.from({ length: 2_000 }, (_, at) => 0x80 | (at % 64));
    expect(decode(wav({ tag: 7, bits: 0, align: 1 }, mulaw)).samples).toHaveLength(2_000);
    const bytes = wav({}, bytesOf(tone));
    bytes.set(id('FMT '), 12);
    expect(decode(bytes).samples).toEqual(heard);
  });

  it('are refused where the samples bear nothing out', () => {
    for (const fields of [{ align: 0 }, { align: 16 }, { channels: 2, align: 7 }]) {
      expect(() => decode(wav(fields, noise))).toThrow(/contradicts itself .* export it again/);
    }
  });
});
