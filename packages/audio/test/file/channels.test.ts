import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelWish } from '../../src/channels/index.js';
import type { DecodeFileOptions } from '../../src/file/index.js';
import { encodeWav } from '../../src/wav-encoder.js';
import { buzz, interleaved, RATE_HZ, voice } from '../channels/voices.js';
import { hasFfmpeg, hear, pieces } from './decoding.js';

const SECONDS = 4;
const stereo = (first: Float32Array, second: Float32Array): Uint8Array =>
  encodeWav(interleaved(first, second), { sampleRateHz: RATE_HZ, channels: 2 });
const call = stereo(voice(1, SECONDS), voice(2, SECONDS));
const same = stereo(voice(1, SECONDS), voice(1, SECONDS));
const buzzing = stereo(buzz(SECONDS, 0.3), voice(1, SECONDS));
const mono = encodeWav(voice(1, SECONDS), { sampleRateHz: RATE_HZ });
const stored = (samples: Float32Array): Float32Array =>
  samples.map((sample) => Math.round(sample * 32_767) / 32_768);

let folder = '';
let path = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-channels-'));
  path = join(folder, 'call.wav');
  await writeFile(path, call);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function lanesOf(source: string | Uint8Array | AsyncIterable<Uint8Array>, options: DecodeFileOptions) {
  return (await hear(source, options)).file.lanes;
}

describe('a file with two channels', () => {
  it('is mixed unless something else is asked for', async () => {
    const { file, samples } = await hear(call);
    expect([file.lanes, file.isBlended, samples.length]).toEqual([[[0, 1]], false, SECONDS * RATE_HZ]);
  });

  it('is heard apart where it holds two voices: their samples interleaved, at most half a second of each at once', async () => {
    for (const source of [path, call]) {
      const { file, samples, chunkLengths } = await hear(source, { channels: 'auto' });
      expect([file.lanes, file.channels, file.durationMs]).toEqual([[[0], [1]], 2, SECONDS * 1000]);
      expect(samples.length).toBe(2 * SECONDS * RATE_HZ);
      expect(Math.max(...chunkLengths)).toBe(16_000);
      const second = samples.filter((_, index) => index % 2 === 1);
      const written = stored(voice(2, SECONDS));
      expect(second.every((sample, index) => Math.abs(sample - (written[index] ?? 0)) < 1e-4)).toBe(true);
    }
  });

  it('is one recording, or one channel of it, where that is what it holds', async () => {
    expect(await lanesOf(same, { channels: 'auto' })).toEqual([[0, 1]]);
    expect(await lanesOf(buzzing, { channels: 'auto' })).toEqual([[1]]);
    expect(await lanesOf(mono, { channels: 'auto' })).toEqual([[0]]);
  });

  it('is read as asked: each channel, or one of them', async () => {
    expect(await lanesOf(same, { channels: 'each' })).toEqual([[0], [1]]);
    const { file, samples } = await hear(path, { channels: 2 });
    expect([file.lanes, samples.length]).toEqual([[[1]], SECONDS * RATE_HZ]);
    expect(await lanesOf(mono, { channels: 'each' })).toEqual([[0]]);
  });

  it('without the channel that was asked for is refused with what there is', async () => {
    await expect(hear(path, { channels: 3 })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'This recording has 2 channels: channels may be auto, mix, each, or 1 to 2.',
    });
  });

  it('that comes as a stream cannot be looked through first: it is mixed, and told of at its end', async () => {
    const open = (bytes: Uint8Array, channels: ChannelWish) => hear(pieces(bytes, 60_000), { channels });
    const { file } = await open(call, 'auto');
    expect([file.lanes, file.isBlended]).toEqual([[[0, 1]], true]);
    expect((await open(same, 'auto')).file.isBlended).toBe(false);
    expect((await open(call, 'mix')).file.isBlended).toBe(false);
    expect((await open(call, 'each')).file.lanes).toEqual([[0], [1]]);
  });

  it('begins to be decoded once, though it is read twice', async () => {
    let begun = 0;
    await hear(path, { channels: 'auto', beforeDecoding: () => (begun += 1) });
    expect(begun).toBe(1);
  });

  it('that is too long is refused, whatever its channels hold', async () => {
    await expect(hear(path, { channels: 'auto', maxDurationMs: 2_000 })).rejects.toMatchObject({
      code: 'too_large',
    });
    await expect(hear(path, { channels: 'auto', maxSamples: 1_000 })).rejects.toMatchObject({
      code: 'too_large',
    });
  });
});

describe.skipIf(!hasFfmpeg)('a FLAC file', () => {
  let flac = '';
  beforeAll(() => {
    flac = join(folder, 'call.flac');
    execFileSync('ffmpeg', ['-v', 'error', '-i', path, flac]);
  });

  it('is heard apart where ffmpeg decodes it', async () => {
    expect(await lanesOf(flac, { channels: 'auto' })).toEqual([[0], [1]]);
  });

  it('is heard apart where a library decodes it', async () => {
    expect(await lanesOf(flac, { channels: 'auto', ffmpeg: false })).toEqual([[0], [1]]);
  });
});
