import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AudioError } from '../../src/errors.js';
import { decodeFile } from '../../src/file/index.js';
import { openJoined } from '../../src/file/joined-streams.js';
import type { PcmStream } from '../../src/file/pcm-stream.js';
import { formatsFolder, type Heard, hasFormats, hear, likeness, pieces } from './decoding.js';

const read = (name: string): Uint8Array => readFileSync(`${formatsFolder}ok/${name}`);

function hearBytes(...parts: readonly Uint8Array[]): Promise<Heard> {
  return hear(pieces(Buffer.concat(parts), 5_000), { ffmpeg: false });
}

describe.skipIf(!hasFormats)('files put together to one, without ffmpeg', () => {
  it.each([
    ['FLAC of two rates', 'flac-16k.flac', 'flac-8k.flac'],
    ['FLAC of one and two channels', 'flac-16k.flac', 'flac-24bit-96k-stereo.flac'],
    ['Opus twice', 'ogg-opus-24k.ogg', 'ogg-opus-24k.ogg'],
    ['Opus of one and two channels', 'ogg-opus-24k.ogg', 'opus-2.5ms-stereo-96k.opus'],
    ['Vorbis twice', 'ogg-vorbis-44100-stereo.ogg', 'ogg-vorbis-44100-stereo.ogg'],
    ['Ogg of two codecs', 'ogg-vorbis-44100-stereo.ogg', 'flac-in-ogg.oga'],
    ['FLAC in Ogg twice', 'flac-in-ogg.oga', 'flac-in-ogg.oga'],
    ['WebM twice', 'webm-opus.webm', 'webm-opus.webm'],
    ['live WebM and another codec', 'webm-live-no-duration.webm', 'webm-vorbis.webm'],
    ['MP3 of two rates', 'mp3-cbr64-22050-mono.mp3', 'mp3-320-48000.mp3'],
  ])('are all heard: %s', async (_, firstName, secondName) => {
    const first = await hearBytes(read(firstName));
    const second = await hearBytes(read(secondName));
    const both = await hearBytes(read(firstName), read(secondName));
    // A decoder that goes on from one to the other may hold back or give a frame more.
    expect(Math.abs(both.samples.length - first.samples.length - second.samples.length)).toBeLessThan(1_600);
    expect(likeness(both.samples, first.samples)).toBeGreaterThan(0.99);
    // The first frame of MP3 refers to one before it.
    expect(likeness(both.samples.subarray(-second.samples.length), second.samples)).toBeGreaterThan(0.97);
    expect(both.file).toMatchObject({
      sampleRateHz: first.file.sampleRateHz,
      channels: first.file.channels,
      isDamaged: false,
    });
  });

  it.each([
    ['FLAC without a header', 'flac-16k.flac', Buffer.from('fLaC\x80\0\0\x22', 'latin1')],
    [
      'WebM without tracks',
      'webm-opus.webm',
      Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, 0xff),
    ],
  ])('are damage where one cannot be opened: %s', async (_, name, rest) => {
    const alone = await hearBytes(read(name));
    const { file, samples } = await hearBytes(read(name), rest);
    expect([samples.length, file.isDamaged]).toEqual([alone.samples.length, true]);
  });

  it('are two where the first was cut off, and that is damage', async () => {
    const opus = read('ogg-opus-24k.ogg');
    const alone = await hearBytes(opus);
    const { file, samples } = await hearBytes(opus.subarray(0, 0.75 * opus.length), opus);
    expect(samples.length).toBeGreaterThan(alone.samples.length * 1.3);
    expect(likeness(samples.subarray(-alone.samples.length), alone.samples)).toBeGreaterThan(0.99);
    expect(file.isDamaged).toBe(true);
  });

  it('are one to the limits', async () => {
    const flac = read('flac-16k.flac');
    const file = await decodeFile(Buffer.concat([flac, flac]), { ffmpeg: false, maxSamples: 100_000 });
    const loop = async (): Promise<void> => {
      for await (const _ of file);
    };
    await expect(loop()).rejects.toMatchObject({ code: 'too_large' });
  });
});

describe.skipIf(!hasFormats)('FLAC that does not say how long it is', () => {
  it('is whole in front of a tag', async () => {
    const tail = Buffer.alloc(128);
    tail.write('TAG');
    const flac = read('flac-streamed-no-length.flac');
    const alone = await hearBytes(flac);
    const { file, samples } = await hearBytes(flac, tail);
    expect([samples.length, file.isDamaged]).toEqual([alone.samples.length, false]);
  });

  it('tells that it was cut off in mid-frame', async () => {
    const flac = read('flac-streamed-no-length.flac');
    expect((await hearBytes(flac)).file.isDamaged).toBe(false);
    const { file, samples } = await hearBytes(flac.subarray(0, flac.length - 99));
    expect(file.isDamaged).toBe(true);
    expect(samples.length).toBeGreaterThan(3.8 * 16_000);
  });

  it('is whole in front of bytes that are none of it, and tells of them', async () => {
    const flac = read('flac-streamed-no-length.flac');
    const alone = await hearBytes(flac);
    const { file, samples } = await hearBytes(flac, Buffer.alloc(5_000, 'A'));
    expect([samples.length, file.isDamaged]).toEqual([alone.samples.length, true]);
  });
});

describe('streams without end', () => {
  const stream: PcmStream = {
    ...{ sampleRateHz: 16_000, channels: 1, durationMs: undefined },
    isDamaged: () => false,
    blocks: (async function* () {})(),
  };

  it.each([
    ['that can be opened', (): PcmStream => stream],
    [
      'that cannot',
      (): never => {
        throw new AudioError('file_damaged', 'No.');
      },
    ],
    ['with impossible facts', (): PcmStream => ({ ...stream, channels: 0 })],
  ])('are left out from the 2,000th on, which is damage: %s', async (_, open) => {
    let count = 0;
    const first = await openJoined(async () => {
      count += 1;
      return count === 1 ? stream : open();
    });
    for (let part: PcmStream | undefined = first; part !== undefined; ) part = await part.next?.();
    expect([count, first.isDamaged()]).toEqual([2_000, true]);
  });

  it('are damage where there is none', async () => {
    await expect(openJoined(() => Promise.resolve(undefined))).rejects.toMatchObject({
      code: 'file_damaged',
    });
  });
});
