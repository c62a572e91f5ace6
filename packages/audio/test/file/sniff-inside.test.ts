import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MpegScan } from '../../src/file/mpeg-scan.js';
import { sniff } from '../../src/file/sniff.js';
import { formatsFolder, hasFfmpeg, hasFormats, hear, likeness, WAYS } from './decoding.js';

const read = (name: string): Uint8Array => readFileSync(`${formatsFolder}ok/${name}`);
/** No byte of a mark, and no text. */
const junk = Uint8Array.from({ length: 1_500 }, (_, at) => (at * 37) % 64);

describe.skipIf(!hasFormats)('a stream that was cut out of another', () => {
  it.each([
    ['aac-adts.aac', 'aac', 101],
    ['ac3-48000.ac3', 'ac3', 101],
    ['mp3-16k-24kbps.mp3', 'mp3', 70],
    ['mp3-vbr-44100-stereo.mp3', 'mp3', 501],
  ])('is found from its first whole frame on: %s', async (name, format, cutBytes) => {
    const bytes = read(name).subarray(cutBytes);
    expect(sniff(bytes, true)).toMatchObject({ kind: 'audio', format });
    if (!hasFfmpeg) return;
    const [whole, cut] = [await hear(read(name)), await hear(bytes)];
    expect(whole.samples.length - cut.samples.length).toBeLessThan(3_200);
    expect(likeness(cut.samples, whole.samples, 3_000)).toBeGreaterThan(0.9);
  });
});

describe.skipIf(!hasFormats)('junk before', () => {
  it.each(['ogg-opus-24k.ogg', 'flac-in-ogg.oga', 'flac-16k.flac'])('%s is passed over', async (name) => {
    for (const [, options] of WAYS) {
      const alone = await hear(read(name), options);
      const { file, samples } = await hear(Buffer.concat([junk, read(name)]), options);
      expect([file.format, samples.length]).toEqual([alone.file.format, alone.samples.length]);
      expect(likeness(samples, alone.samples)).toBeGreaterThan(0.9999);
    }
  });
});

describe('LATM', () => {
  /** A frame that says how it is to be read, or goes by one that did. */
  const frame = (isBeginning: boolean): Buffer => {
    const bytes = Buffer.alloc(200, 0x15);
    bytes.set([0x56, 0xe0, 197, isBeginning ? 0x20 : 0xa0]);
    return bytes;
  };

  it('begins with the first frame that says how it is to be read', () => {
    const later = Array.from({ length: 19 }, () => frame(false));
    const stream = Buffer.concat([...later, frame(true), ...later, frame(true)]);
    expect(sniff(stream, true)).toMatchObject({ format: 'latm', junkBytes: 19 * 200 });
    expect(sniff(stream.subarray(150), true)).toMatchObject({ format: 'latm', junkBytes: 19 * 200 - 150 });
    expect(sniff(stream.subarray(19 * 200), true)).toMatchObject({ format: 'latm', junkBytes: 0 });
  });

  it.skipIf(!hasFfmpeg)(
    'is heard where it was cut out of another, and what is lost of it is told',
    async () => {
      const seconds = 6;
      const args = ['-f', 'lavfi', '-i', `sine=440:r=16000:d=${seconds}`, '-c:a', 'aac', '-f', 'latm', '-'];
      const { stdout: latm } = spawnSync('ffmpeg', ['-v', 'error', ...args]);
      const whole = await hear(latm);
      const { file, samples } = await hear(latm.subarray(900));
      // ffmpeg says how to read on in each twentieth frame, of 64 ms.
      const lost = whole.samples.length - samples.length;
      expect(lost).toBeGreaterThan(16_000);
      expect(lost).toBeLessThanOrEqual(20 * 1024);
      expect(file.remarks).toEqual([expect.stringMatching(/^The first \d+ bytes were left out/)]);
    },
  );
});

describe('MP4', () => {
  const box = (kind: string, bytes: number): Buffer => {
    const head = Buffer.alloc(bytes);
    head.writeUInt32BE(bytes);
    head.write(kind, 4, 'latin1');
    return head;
  };

  it.each([
    ['of free space', [box('free', 40), box('moov', 16)]],
    ['of free space that goes on', [box('skip', 8), Buffer.from('0000ffff66726565', 'hex')]],
    ['that nobody knows', [box('abcd', 300), box('ftyp', 24)]],
  ])('may begin with a box %s', (_, boxes) => {
    expect(sniff(Buffer.concat(boxes), false)).toMatchObject({ kind: 'audio', format: 'mp4' });
  });

  it('is no text that speaks of its boxes', () => {
    const text = Buffer.from("I'm free to say what moov and ftyp are.");
    expect(sniff(text, true)).toEqual({ kind: 'not-audio', looksLike: 'text' });
  });
});

describe('what lies between frames of MP3', () => {
  /** MPEG-2 layer III, 16 kHz, 32 kbit/s. */
  const frame = Buffer.alloc(144, 0x55);
  frame.set([0xff, 0xf3, 0x48, 0xc4]);
  const tag = Buffer.alloc(310);
  tag.write('ID3\x04\0\0\0\0\x02\x2c', 'latin1'); // 2 x 128 + 44 bytes
  const trailer = Buffer.alloc(128);
  trailer.write('TAG');

  function isBroken(parts: readonly Uint8Array[], pieceBytes: number): boolean {
    const scan = new MpegScan();
    const bytes = Buffer.concat(parts);
    for (let at = 0; at < bytes.length; at += pieceBytes) scan.push(bytes.subarray(at, at + pieceBytes));
    return scan.isBroken;
  }

  it.each([
    ['nothing', [frame, frame, frame], false],
    ['tags', [tag, frame, frame, trailer, tag, frame, frame], false],
    ['zeros', [frame, Buffer.alloc(1_000), frame], false],
    ['junk before the first', [junk, frame, frame], false],
    ['junk', [frame, junk, frame], true],
    ['half a frame', [frame, frame.subarray(0, 90), frame, frame], true],
  ])('is damage where it is no tag: %s', (_, parts, expected) => {
    for (const pieceBytes of [1_000_000, 100, 7]) expect(isBroken(parts, pieceBytes)).toBe(expected);
  });
});
