import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatsFolder, type Heard, hasFormats, hear, likeness, pieces } from './decoding.js';

const read = (name: string): Uint8Array => readFileSync(`${formatsFolder}ok/${name}`);

function hearBytes(...parts: readonly Uint8Array[]): Promise<Heard> {
  return hear(pieces(Buffer.concat(parts), 5_000), { ffmpeg: false });
}

describe.skipIf(!hasFormats)('tags', () => {
  const tag = Buffer.alloc(1_010);
  tag.write('ID3\x04\0\0\0\0\x07\x68', 'latin1'); // 7 x 128 + 104 bytes

  it.each([
    'wav-s16-16k.wav',
    'flac-16k.flac',
    'ogg-opus-24k.ogg',
    'flac-in-ogg.oga',
    'webm-vorbis.webm',
    'aiff-s16.aiff',
  ])('may stand before any format: %s', async (name) => {
    const alone = await hearBytes(read(name));
    const { file, samples } = await hearBytes(tag, tag, read(name));
    expect([file.format, file.isDamaged]).toEqual([alone.file.format, alone.file.isDamaged]);
    expect(samples.length).toBe(alone.samples.length);
    expect(likeness(samples, alone.samples)).toBeGreaterThan(0.9999);
  });
});
