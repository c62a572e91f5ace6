import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioError } from '../../src/errors.js';
import { ByteCursor } from '../../src/file/byte-cursor.js';
import { openFlac } from '../../src/file/flac-frames.js';
import { openMatroska } from '../../src/file/matroska-packets.js';
import { oggPackets } from '../../src/file/ogg-packets.js';
import { pcmLayoutOf } from '../../src/file/pcm-layout.js';
import { sniff } from '../../src/file/sniff.js';
import { formatsFolder, hasFormats, pieces } from './decoding.js';

/** Takes a file apart and gives the sizes of what was found; our errors count as an answer. */
type TakeApart = (bytes: AsyncIterable<Uint8Array>) => Promise<number[]>;

const ogg: TakeApart = async (bytes) => {
  const sizes: number[] = [];
  for await (const packet of oggPackets(bytes)) sizes.push(packet.bytes.length, packet.pageGranule);
  return sizes;
};
const matroska: TakeApart = async (bytes) => {
  const sizes: number[] = [];
  for await (const packet of (await openMatroska(new ByteCursor(bytes)))?.packets ?? [])
    sizes.push(packet.bytes.length, packet.discardNs);
  return sizes;
};
const flac: TakeApart = async (bytes) => {
  const stream = await openFlac(new ByteCursor(bytes));
  const sizes: number[] = [stream?.info?.sampleRateHz ?? 0, stream?.info?.channels ?? 0];
  for await (const frame of stream?.frames ?? []) sizes.push(frame.bytes.length);
  return sizes;
};

const CASES: readonly [string, TakeApart][] = [
  ['ok/ogg-opus-24k.ogg', ogg],
  ['ok/ogg-vorbis-44100-stereo.ogg', ogg],
  ['ok/opus-60ms-12k.opus', ogg],
  ['ok/webm-opus.webm', matroska],
  ['ok/webm-live-no-duration.webm', matroska],
  ['ok/mka-pcm.mka', matroska],
  ['ok/flac-8k.flac', flac],
  ['broken/flac-corrupt-frames.flac', flac],
  ['broken/webm-corrupt-middle.webm', matroska],
  ['broken/opus-bad-page-crc.ogg', ogg],
];
const read = (name: string): Uint8Array => readFileSync(formatsFolder + name);

async function answer(
  takeApart: TakeApart,
  bytes: Uint8Array,
  pieceBytes = 4_096,
): Promise<number[] | string> {
  try {
    return await takeApart(pieces(bytes, pieceBytes));
  } catch (error) {
    if (error instanceof AudioError) return error.code;
    throw error;
  }
}

describe.skipIf(!hasFormats)('taking containers apart', () => {
  it.each(CASES)('does not depend on how the bytes are cut: %s', async (name, takeApart) => {
    const bytes = read(name);
    const whole = await answer(takeApart, bytes, bytes.length);
    expect(whole.length).toBeGreaterThan(10);
    for (const pieceBytes of [13, 255, 4_096])
      expect(await answer(takeApart, bytes, pieceBytes)).toEqual(whole);
  });

  it.each(CASES)('ends with what is there where the file is cut off: %s', async (name, takeApart) => {
    const bytes = read(name);
    const whole = await answer(takeApart, bytes);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length }), async (length) => {
        const found = await answer(takeApart, bytes.subarray(0, length));
        if (typeof found === 'string' || typeof whole === 'string') return;
        expect(found.length).toBeLessThanOrEqual(whole.length + 2);
      }),
      { numRuns: 30 },
    );
  });

  it.each(CASES)('ends, with our errors alone, where bytes are damaged: %s', async (name, takeApart) => {
    const bytes = read(name);
    const damage = fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const broken = bytes.slice();
        for (const [at, value] of changes) broken[at] = value;
        await answer(takeApart, broken);
      }),
      { numRuns: 30 },
    );
  });
});

describe('looking at headers', () => {
  it('ends on any bytes, behind any mark', () => {
    const marks = [
      '',
      'FORM\0\0\0\0AIFF',
      'FORM\0\0\0\0AIFC',
      '.snd',
      'caff\0\x01\0\0desc',
      'NIST_1A\n   1024\n',
      'ID3',
      'OggS',
      '\xff\xfb',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...marks),
        fc.uint8Array({ maxLength: 400 }),
        fc.boolean(),
        (mark, rest, whole) => {
          const bytes = Buffer.concat([Buffer.from(mark, 'latin1'), rest]);
          const found = sniff(bytes, whole);
          if (found.kind === 'audio') pcmLayoutOf(found.format, bytes);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it
    .skipIf(!hasFormats)
    .each(['ok/aiff-s24-22050-stereo.aiff', 'ok/aifc-sowt.aifc', 'ok/au-mulaw-8k.au', 'ok/caf-s16.caf'])(
    'wants the whole header: %s',
    (name) => {
      const bytes = read(name);
      const found = sniff(bytes, true);
      if (found.kind !== 'audio') throw new Error('not known');
      const layout = pcmLayoutOf(found.format, bytes);
      expect(layout).toBeDefined();
      for (let length = 0; length < (layout?.dataOffset ?? 0) - 16; length += 1) {
        expect(pcmLayoutOf(found.format, bytes.subarray(0, length))).toBeUndefined();
      }
    },
  );

  it.each([
    ['{"error":"expired"}', 'text'],
    ['<!DOCTYPE html><html></html>', 'text'],
    ['#EXTM3U\n', 'playlist'],
    ['\x89PNG\r\n\x1a\n', 'picture'],
    ['PK\x03\x04abcdefgh', 'document'],
    ['\x00\x01\x02\x03\x04\x05', 'unknown'],
    ['', 'empty'],
  ])('knows what is no audio: %j', (content, looksLike) => {
    expect(sniff(Buffer.from(content, 'latin1'), true)).toEqual({ kind: 'not-audio', looksLike });
  });
});
