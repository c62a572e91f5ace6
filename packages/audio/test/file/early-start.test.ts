import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mayStart } from '../../src/file/early-start.js';
import { decodeFile } from '../../src/file/index.js';
import { formatsFolder, hasFormats, pieces, WAYS } from './decoding.js';

const read = (name: string): Uint8Array => readFileSync(`${formatsFolder}ok/${name}`);

/** Files whose first sound comes with so many bytes: about a second of theirs, and one of 64 KiB. */
const LIVE: readonly (readonly [string, number])[] = [
  ['mp3-16k-24kbps.mp3', 3_600],
  ['aac-adts.aac', 7_000],
  ['ogg-opus-24k.ogg', 4_500],
  ['webm-live-no-duration.webm', 5_000],
];

describe.skipIf(!hasFormats).each(WAYS)('a stream that comes as it is recorded, %s', (way, options) => {
  const files = LIVE.filter(([name]) => way === 'with ffmpeg' || !name.endsWith('.aac'));
  it.each(files)('is heard before more of it has come: %s, %i bytes', async (name, firstBytes) => {
    const bytes = read(name);
    let goOn = (): void => undefined;
    const heard = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* pipe(): AsyncGenerator<Uint8Array, void> {
      yield* pieces(bytes.subarray(0, firstBytes), 160);
      await heard;
      yield* pieces(bytes.subarray(firstBytes), 160);
    }
    // Resolves with the first sound: if that needed more bytes, it never would.
    const file = await decodeFile(pipe(), options);
    goOn();
    let samples = 0;
    for await (const chunk of file) samples += chunk.length;
    expect([samples > 3.8 * 16_000, file.isDamaged]).toEqual([true, false]);
  });
});

describe.skipIf(!hasFormats)('a beginning', () => {
  const tag = Buffer.alloc(1_010);
  tag.write('ID3\x04\0\0\0\0\x07\x68', 'latin1'); // 7 x 128 + 104 bytes

  it.each(['mp3-16k-24kbps.mp3', 'aac-adts.aac', 'ogg-opus-24k.ogg', 'webm-opus.webm', 'wav-s16-16k.wav'])(
    'of %s is enough once it says what it is, also behind a tag',
    (name) => {
      const bytes = read(name);
      expect([mayStart(bytes.subarray(0, 3)), mayStart(bytes.subarray(0, 2_500))]).toEqual([false, true]);
      const tagged = Buffer.concat([tag, bytes]);
      expect([mayStart(tagged.subarray(0, 900)), mayStart(tagged.subarray(0, 3_500))]).toEqual([false, true]);
    },
  );

  it.each(['m4a-aac-lc.m4a', 'caf-alac.caf'])('of %s is not: more may have to be known', (name) => {
    expect(mayStart(read(name).subarray(0, 20_000))).toBe(false);
  });
});
