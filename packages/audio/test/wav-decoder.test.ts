import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WavDecoder } from '../src/wav-decoder.js';
import { encodeWav } from '../src/wav-encoder.js';
import { chunk, format, id, riff, u16, u32, u64 } from './wav-bytes.js';

function decode(bytes: Uint8Array) {
  const decoder = new WavDecoder();
  const samples = [...decoder.push(bytes)];
  return { samples, ...decoder.finish(), promisedFrames: decoder.promisedFrames };
}

const code = (bytes: Uint8Array): string => {
  try {
    decode(bytes);
    return 'ok';
  } catch (error) {
    expect(error).toMatchObject({ name: 'AudioError' });
    return (error as { code: string }).code; // checked by the line before
  }
};

const pcm = (...values: number[]) => values.flatMap((value) => u16(value & 0xffff));
const GUID_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
const extensible = (tag: number, tail = GUID_TAIL) => [
  ...u16(22),
  ...u16(16),
  ...u32(4),
  ...u16(tag),
  ...tail,
];
const W64_TAIL = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];
const RIFF_TAIL = [0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0];
const w64Chunk = (name: string, body: number[], size = body.length + 24) => [
  ...[...id(name), ...W64_TAIL, ...u64(size), ...body],
  ...new Array((8 - (body.length % 8)) % 8).fill(0),
];
const w64 = (...chunks: number[][]) =>
  Uint8Array.from([
    ...id('riff'),
    ...RIFF_TAIL,
    ...u64(40 + chunks.flat().length),
    ...id('wave'),
    ...W64_TAIL,
    ...chunks.flat(),
  ]);

describe('WavDecoder', () => {
  it.each([
    ['8-bit', { bits: 8 }, [0, 128, 255], [-1, 0, 127 / 128]],
    ['16-bit', { bits: 16 }, pcm(-32_768, 1, 32_767), [-1, 1 / 32_768, 32_767 / 32_768]],
    ['24-bit', { bits: 24 }, [0, 0, 0x80, 1, 0, 0, 0xff, 0xff, 0xff], [-1, 2 ** -23, -(2 ** -23)]],
    ['32-bit', { bits: 32 }, [0, 0, 0, 0x80, 0, 0, 0, 0x40], [-1, 0.5]],
    ['12 bits in 16', { bits: 12, align: 2 }, pcm(0x4000), [0.5]],
    ['24 bits in 32', { bits: 24, align: 4 }, [0, 0, 0, 0x40], [0.5]],
    ['float', { tag: 3, bits: 32 }, [...u32(0x3f000000), ...u32(0xbf800000)], [0.5, -1]],
    ['double', { tag: 3, bits: 64 }, [...u64(0), ...u32(0), ...u32(0xbfe00000)], [0, -0.5]],
    ['µ-law', { tag: 7, bits: 8 }, [0x00, 0xff, 0x80], [-32_124 / 32_768, 0, 32_124 / 32_768]],
    ['A-law', { tag: 6, bits: 8 }, [0x2a, 0xd5], [-32_256 / 32_768, 8 / 32_768]],
    ['extensible', { tag: 0xfffe, extra: extensible(1) }, pcm(16_384), [0.5]],
    ['stereo', { channels: 2 }, pcm(1, 2, 3, 4), [1, 2, 3, 4].map((value) => value / 32_768)],
  ])('reads %s', (_, fields, data, samples) => {
    expect(decode(riff([format(fields), chunk('data', data)])).samples).toEqual(samples);
  });

  it('takes NaN and infinities for silence and clips floats beyond ±1', () => {
    const floats = [0x7fc00000, 0x7f800000, 0xff800000, 0x40000000, 0xc0000000].flatMap((bits) => u32(bits));
    const doubles = [
      ...u32(0),
      ...u32(0x7ff00000),
      ...u32(1),
      ...u32(0x7ff00000),
      ...u32(0),
      ...u32(0x7fe00000),
    ];
    expect(decode(riff([format({ tag: 3, bits: 32 }), chunk('data', floats)])).samples).toEqual([
      0, 0, 0, 1, -1,
    ]);
    expect(decode(riff([format({ tag: 3, bits: 64 }), chunk('data', doubles)])).samples).toEqual([0, 0, 1]);
  });

  it('says what the headers say', () => {
    const bytes = riff([
      format({ channels: 2, rateHz: 44_100, bits: 24 }),
      chunk('data', new Array(12).fill(0)),
    ]);
    expect(decode(bytes)).toMatchObject({
      format: {
        container: 'wav',
        encoding: 's24le',
        sampleRateHz: 44_100,
        channels: 2,
        bitsPerSample: 24,
        frameBytes: 6,
      },
      lengthFrames: 2,
      promisedFrames: 2,
      isTruncated: false,
    });
  });

  it('reads RIFX, big-endian throughout', () => {
    const data = chunk('data', [...u16(0x4000, 'big'), ...u16(0xc000, 'big')], undefined, 'big');
    expect(decode(riff([format({}, 'big'), data], 'RIFX')).samples).toEqual([0.5, -0.5]);
    const wide = chunk('data', [0x40, 0, 0, 0xff, 0xff, 0xff], undefined, 'big');
    expect(decode(riff([format({ bits: 24 }, 'big'), wide], 'RIFX')).samples).toEqual([0.5, -(2 ** -23)]);
  });

  it('reads RF64 and BW64 by their 64-bit sizes', () => {
    const sizes = chunk('ds64', [...u64(1_000), ...u64(4), ...u64(2), ...u32(0)]);
    const data = chunk('data', pcm(16_384, -16_384), 0xffffffff);
    for (const name of ['RF64', 'BW64']) {
      const bytes = riff([sizes, format(), data, chunk('LIST', pcm(1, 2))], name, 0xffffffff);
      expect(decode(bytes)).toMatchObject({ samples: [0.5, -0.5], promisedFrames: 2, isTruncated: false });
    }
  });

  it('reads Wave64', () => {
    const body = format().slice(8);
    const bytes = w64(
      w64Chunk('junk', [1, 2, 3]),
      w64Chunk('fmt ', body),
      w64Chunk('data', pcm(16_384, 0, -16_384)),
    );
    expect(decode(bytes)).toMatchObject({ samples: [0.5, 0, -0.5], promisedFrames: 3, isTruncated: false });
    expect(code(w64(w64Chunk('fmt ', body, 23)))).toBe('file_damaged');
    expect(code(Uint8Array.from([...id('riff'), ...RIFF_TAIL, ...new Array(40).fill(0)]))).toBe('not_audio');
  });

  it('skips chunks before, between and behind, with or without the pad byte of odd ones', () => {
    const list = chunk('LIST', [1, 2, 3]);
    const parts = [
      list,
      format(),
      chunk('bext', []),
      list,
      chunk('data', pcm(16_384)),
      list,
      chunk('id3 ', [7]),
    ];
    expect(decode(riff(parts)).samples).toEqual([0.5]);
    const unpadded = chunk('LIST', [1, 2, 3]).slice(0, -1);
    expect(decode(riff([format(), unpadded, chunk('data', pcm(16_384))])).samples).toEqual([0.5]);
  });

  it('reads several data chunks one behind the other', () => {
    const parts = [format(), chunk('data', pcm(1)), chunk('LIST', [1]), chunk('data', pcm(2, 3))];
    const result = decode(riff(parts));
    expect(result).toMatchObject({ lengthFrames: 3, isTruncated: false });
    expect(result.samples).toEqual([1, 2, 3].map((value) => value / 32_768));
  });

  it('hears nothing of what lies behind the stated end of the file', () => {
    const file = riff([format(), chunk('data', pcm(16_384))]);
    const junk = [
      chunk('data', pcm(1, 2, 3)),
      [0, 0, 0, 0, 0, 0, 0, 0, 0],
      [200, 201, 202, 203, 204, 205, 206, 207],
    ];
    for (const bytes of junk) expect(decode(Uint8Array.from([...file, ...bytes])).samples).toEqual([0.5]);
  });

  it.each([
    ['0 and 0', 0, 0],
    ['0xFFFFFFFF and 0xFFFFFFFF', 0xffffffff, 0xffffffff],
    ['36 and 0, as Python leaves them', 36, 0],
    ['0 and 0xFFFFFFFF', 0, 0xffffffff],
  ])('reads to the end when a writer into a pipe left the sizes at %s', (_, riffBytes, dataBytes) => {
    const bytes = riff([format(), chunk('data', pcm(16_384, -16_384), dataBytes)], 'RIFF', riffBytes);
    expect(decode(bytes)).toMatchObject({
      samples: [0.5, -0.5],
      promisedFrames: undefined,
      isTruncated: false,
    });
  });

  it('gives no samples for an empty data chunk in front of others, or at the end', () => {
    const parts = [format(), chunk('data', []), chunk('LIST', pcm(1, 2))];
    expect(decode(riff(parts))).toMatchObject({ samples: [], lengthFrames: 0, isTruncated: false });
    expect(decode(riff([format(), chunk('data', [])]))).toMatchObject({ samples: [], isTruncated: false });
  });

  it('drops half a frame at the end of a data chunk', () => {
    const parts = [format({ channels: 2 }), chunk('data', [...pcm(1, 2, 3), 9]), chunk('LIST', [1])];
    expect(decode(riff(parts))).toMatchObject({ lengthFrames: 1, isTruncated: false });
  });

  it('gives the same however the bytes are cut', () => {
    const parts = [chunk('LIST', [1, 2, 3]), format({ channels: 2, bits: 24 }), chunk('fact', pcm(3, 0))];
    const data = Array.from({ length: 66 }, (_, i) => (i * 37) % 256);
    const bytes = riff([...parts, chunk('data', data.slice(0, 21)), chunk('data', data.slice(21))]);
    const whole = decode(bytes);
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (cuts) => {
        const decoder = new WavDecoder();
        const samples: number[] = [];
        let offset = 0;
        for (const length of [...cuts, bytes.length]) {
          samples.push(...decoder.push(bytes.subarray(offset, offset + length)));
          offset += length;
        }
        expect({ samples, ...decoder.finish(), promisedFrames: decoder.promisedFrames }).toEqual(whole);
      }),
    );
  });

  it('cut off at any byte: an error before the sound, else the samples so far and a word about the rest', () => {
    const bytes = encodeWav(Float32Array.of(0.1, 0.2, 0.3, 0.4), { sampleRateHz: 16_000, channels: 2 });
    for (let length = 0; length < bytes.length; length++) {
      const part = bytes.subarray(0, length);
      if (length < 44) expect(code(part)).toBe(length < 12 ? 'not_audio' : 'file_damaged');
      else
        expect(decode(part)).toMatchObject({
          lengthFrames: Math.floor((length - 44) / 4),
          isTruncated: true,
        });
    }
    expect(decode(bytes)).toMatchObject({ lengthFrames: 2, isTruncated: false });
  });

  it('believes no size: 4 GiB of promise and 2 bytes of sound', () => {
    for (const size of [0x7ffffffe, 0xfffffffe, 0x7ffff000]) {
      const bytes = riff([format(), chunk('data', pcm(16_384), size)], 'RIFF', 0xfffffffe);
      expect(decode(bytes)).toMatchObject({ samples: [0.5], isTruncated: false });
    }
    const sizes = chunk('ds64', [...u64(2 ** 60), ...u64(2 ** 50), ...u64(0), ...u32(0)]);
    const bytes = riff([sizes, format(), chunk('data', pcm(16_384), 0xffffffff)], 'RF64', 0xffffffff);
    expect(decode(bytes)).toMatchObject({ samples: [0.5], promisedFrames: 2 ** 49, isTruncated: true });
    expect(code(riff([format(), chunk('LIST', [1, 2], 0xffffffff), chunk('data', pcm(1))]))).toBe(
      'file_damaged',
    );
    expect(code(riff([chunk('fmt ', [1, 0], 0xfffffff0)]))).toBe('file_damaged');
  });

  it.each([
    ['no channel', { channels: 0, align: 2 }],
    ['65535 channels', { channels: 65_535, align: 2 }],
    ['65 channels', { channels: 65 }],
    ['rate 0', { rateHz: 0 }],
    ['rate 1', { rateHz: 1 }],
    ['rate 4294967295', { rateHz: 0xffffffff }],
    ['0 bits', { bits: 0, align: 2 }],
    ['255 bits', { bits: 255 }],
    ['block align 0', { align: 0 }],
    ['block align 7 for 16-bit mono', { align: 7 }],
    ['block align 3 for 16-bit stereo', { channels: 2, align: 3 }],
    ['block align 1 for 16-bit mono', { align: 1 }],
    ['an extensible format without its extension', { tag: 0xfffe, extra: u16(22) }],
  ])('refuses %s', (_, fields) => {
    expect(code(riff([format(fields), chunk('data', pcm(1, 2, 3))]))).toBe('file_damaged');
  });

  it.each([
    ['MS ADPCM', { tag: 2, bits: 4, align: 256 }],
    ['IMA ADPCM', { tag: 0x11, bits: 4, align: 256 }],
    ['GSM 06.10', { tag: 0x31, bits: 0, align: 65 }],
    ['MP3', { tag: 0x55, bits: 0, align: 1 }],
    ['an unknown tag', { tag: 0x1234 }],
    ['64-bit integers', { bits: 64 }],
    ['16-bit floats', { tag: 3, bits: 16 }],
    [
      'an extensible format of a foreign GUID',
      { tag: 0xfffe, extra: extensible(1, [...GUID_TAIL.slice(0, 13), 0]) },
    ],
  ])('names %s as a codec that is not for it', (_, fields) => {
    expect(code(riff([format(fields), chunk('data', pcm(1, 2, 3))]))).toBe('unsupported_codec');
  });

  it('refuses files without format, without sound, with sound in front of the format, and other files', () => {
    expect(code(riff([chunk('data', pcm(1))]))).toBe('file_damaged');
    expect(code(riff([chunk('data', pcm(1)), format()]))).toBe('file_damaged');
    expect(code(riff([format()]))).toBe('file_damaged');
    expect(code(riff([]))).toBe('file_damaged');
    expect(code(riff([chunk('fmt ', [1, 0])]))).toBe('file_damaged');
    expect(code(riff([[0, 1, 2, 3, 4, 5, 6, 7], format()]))).toBe('file_damaged');
    expect(code(Uint8Array.from([...id('RIFF'), ...u32(4), ...id('AVI ')]))).toBe('not_audio');
    expect(code(Uint8Array.from(id('OggS and so on')))).toBe('not_audio');
  });

  it('throws the same error again once it failed', () => {
    const decoder = new WavDecoder();
    expect(() => decoder.push(new Uint8Array(12))).toThrow(expect.objectContaining({ code: 'not_audio' }));
    expect(() => decoder.push(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'not_audio' }));
    expect(() => decoder.finish()).toThrow(expect.objectContaining({ code: 'not_audio' }));
  });

  it('never fails but with an AudioError, whatever the bytes', () => {
    const file = riff([format(), chunk('LIST', [1, 2, 3]), chunk('data', pcm(1, 2, 3, 4))]);
    const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = file.slice();
        for (const [at, value] of changes) bytes[at] = value;
        code(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});
