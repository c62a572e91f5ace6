/** Bytes that are made to be looked at again and again. That the work grows with the length alone: test/fuzz. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteCursor } from '../../src/file/byte-cursor.js';
import { FfmpegReport } from '../../src/file/ffmpeg-report.js';
import { openFlac } from '../../src/file/flac-frames.js';
import { type MatroskaAudio, openMatroska } from '../../src/file/matroska-packets.js';
import { oggPackets } from '../../src/file/ogg-packets.js';
import { pieces } from './decoding.js';
import { flacFrame, flacHead, flacHeader, isFlacFrame, matroskaElement, oggPage } from './hostile-bytes.js';

async function framesOf(bytes: Uint8Array, pieceBytes: number): Promise<[string, boolean][]> {
  const stream = await openFlac(new ByteCursor(pieces(Buffer.concat([flacHead, bytes]), pieceBytes)));
  const found: [string, boolean][] = [];
  for await (const { bytes: frame, gap } of stream?.frames ?? [])
    found.push([Buffer.from(frame).toString('hex'), gap]);
  return found;
}

interface Part {
  readonly bytes: Uint8Array;
  readonly isFrame: boolean;
}

/** What begins with one header and ends before another is a frame if its checksum is right, whatever was meant by it. */
function holdsFrameByChance(parts: readonly Part[]): boolean {
  return parts.some((_, from) =>
    parts.slice(from).some((_, more) => {
      const run = parts.slice(from, from + more + 1);
      return !run.some(({ isFrame }) => isFrame) && isFlacFrame(Buffer.concat(run.map(({ bytes }) => bytes)));
    }),
  );
}

describe('frames of FLAC', () => {
  const junk = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const number = fc.nat(0x7f);

  it('are found between headers without a frame, cut frames and junk, each with what was lost before it; so is a rest', async () => {
    const part = fc.oneof(
      fc.tuple(number, junk).map(([n, body]) => ({ bytes: flacFrame(n, body), isFrame: true })),
      number.map((n) => ({ bytes: flacHeader(n), isFrame: false })),
      fc
        .tuple(number, junk)
        .map(([n, body]) => ({ bytes: flacFrame(n, body).subarray(0, -1), isFrame: false })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part), fc.constantFrom(1, 7, 4_096), async (parts, pieceBytes) => {
        fc.pre(!holdsFrameByChance(parts));
        const wanted: [string, boolean][] = [];
        let lost: Uint8Array[] = [];
        for (const { bytes, isFrame } of parts) {
          if (isFrame) wanted.push([Buffer.from(bytes).toString('hex'), lost.length > 0]);
          lost = isFrame ? [] : [...lost, bytes];
        }
        if (lost.length > 0) wanted.push([Buffer.concat(lost).toString('hex'), true]);
        expect(await framesOf(Buffer.concat(parts.map(({ bytes }) => bytes)), pieceBytes)).toEqual(wanted);
      }),
    );
  });

  it('end at the end of the stream, and are at most 1 MiB long', async () => {
    const longest = flacFrame(1, new Uint8Array(1024 * 1024 - 8));
    expect(longest.length).toBe(1024 * 1024);
    const tooLong = flacFrame(2, new Uint8Array(1024 * 1024 - 7));
    const last = flacFrame(3, Uint8Array.of(1, 2, 3));
    const found = await framesOf(Buffer.concat([longest, tooLong, last]), 65_536);
    expect(found.map(([hex, gap]) => [hex.length / 2, gap])).toEqual([
      [longest.length, false],
      [last.length, true],
    ]);
  });
});

describe('pages of Ogg', () => {
  it('are found behind a thousand that are none', async () => {
    const hostile = Buffer.alloc(64 * 1024, Buffer.concat([Buffer.from('OggS'), Buffer.alloc(27, 0xff)]));
    const first = oggPage(0, Buffer.from('first'));
    // While marks are everywhere, and for 4 KiB behind them, one is taken for none.
    const quiet = Buffer.alloc(4_096);
    const bytes = Buffer.concat([first, hostile, quiet, oggPage(1, Buffer.from('second'))]);
    const found: string[] = [];
    for await (const packet of oggPackets(pieces(bytes, 4_096)))
      found.push(Buffer.from(packet.bytes).toString());
    expect(found).toEqual(['first', 'second']);
  });
});

describe('elements of Matroska', () => {
  const tracks = (...fields: Uint8Array[]): Uint8Array =>
    Buffer.concat([
      matroskaElement(0x1a45dfa3, new Uint8Array(0)),
      matroskaElement(0x1654ae6b, matroskaElement(0xae, Buffer.concat(fields))),
    ]);
  const type = matroskaElement(0x83, Uint8Array.of(2));
  const codec = matroskaElement(0x86, Buffer.from('A_OPUS'));
  const trackNumber = matroskaElement(0xd7, Uint8Array.of(1));
  const cluster = (...blocks: Uint8Array[]): Uint8Array => matroskaElement(0x1f43b675, Buffer.concat(blocks));
  const block = (content: number): Uint8Array => matroskaElement(0xa3, Uint8Array.of(0x81, 0, 0, 0, content));

  it('that are numbers of a megabyte are none, and names of codecs are short', async () => {
    const longNumber = matroskaElement(0xe1, matroskaElement(0x9f, new Uint8Array(1024 * 1024).fill(0xff)));
    const { track } = await opened(tracks(type, codec, trackNumber, longNumber));
    expect(track).toMatchObject({ codecId: 'A_OPUS', channels: 0 });
    const longName = matroskaElement(0x86, new Uint8Array(1024 * 1024).fill(0x41));
    const named = await opened(tracks(type, longName, trackNumber));
    expect(named.track.codecId).toBe('A'.repeat(64));
  });

  it('that say nothing of the length of a padding are damage', async () => {
    const openPadding = Uint8Array.of(0x75, 0xa2, 0xff);
    const bytes = Buffer.concat([tracks(type, codec, trackNumber), block(7), openPadding, block(7)]);
    expect(await packetsOf(bytes)).toEqual([[[7]], true]);
  });

  it.each([
    ['no element', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)],
    ['an unknown one that claims the rest', Uint8Array.of(0x99, 0x17, 0xff, 0xff, 0xff)],
    ['a number that claims the rest', Uint8Array.of(0xe7, 0x17, 0xff, 0xff, 0xff)],
    ['a block that claims a megabyte', Uint8Array.of(0xa3, 0x10, 0x0f, 0xff, 0xff)],
    ['one without a length', Uint8Array.of(0xec, 0xff)],
  ])('behind damage are those of the next cluster: %s', async (_, damage) => {
    const bytes = Buffer.concat([
      tracks(type, codec, trackNumber),
      cluster(block(7), damage, block(8)),
      cluster(block(9)),
    ]);
    expect(await packetsOf(bytes)).toEqual([[[7], [9]], true]);
  });

  it('are passed over where they are of no use, and so are zeros', async () => {
    const video = matroskaElement(0xa3, Buffer.concat([Uint8Array.of(0x82), new Uint8Array(1024 * 1024)]));
    const unused = [
      matroskaElement(0xec, new Uint8Array(2 * 1024 * 1024)),
      matroskaElement(0x1254c367, Uint8Array.of(1)),
    ];
    const bytes = Buffer.concat([
      tracks(type, codec, trackNumber),
      ...unused,
      cluster(matroskaElement(0xe7, Uint8Array.of(1)), block(7), video, block(8)),
      ...unused,
      new Uint8Array(5_000),
    ]);
    expect(await packetsOf(bytes)).toEqual([[[7], [8]], false]);
  });

  it('of another file behind this one are not its own', async () => {
    const file = Buffer.concat([tracks(type, codec, trackNumber), cluster(block(7))]);
    const cursor = new ByteCursor(pieces(Buffer.concat([file, file]), 13));
    for (let count = 0; count < 2; count += 1)
      expect(await packetsFrom(await openMatroska(cursor))).toEqual([[[7]], false]);
    expect(await openMatroska(cursor)).toBeUndefined();
  });

  async function opened(bytes: Uint8Array): Promise<MatroskaAudio> {
    const audio = await openMatroska(new ByteCursor(pieces(bytes, 65_536)));
    if (audio === undefined) throw new Error('The file is empty.');
    return audio;
  }

  async function packetsOf(bytes: Uint8Array): Promise<[number[][], boolean]> {
    return await packetsFrom(await opened(bytes));
  }

  async function packetsFrom(audio: MatroskaAudio | undefined): Promise<[number[][], boolean]> {
    const found: number[][] = [];
    for await (const packet of audio?.packets ?? []) found.push([...packet.bytes]);
    return [found, audio?.isDamaged() ?? true];
  }
});

it('what ffmpeg says is judged line by line', () => {
  const report = new FfmpegReport();
  report.add('[info]     title : Audio: Audio: Audio:\n[info]     comment : (enca / none)\n');
  expect(report.isEncrypted).toBe(false);
});
