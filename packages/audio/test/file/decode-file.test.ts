import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decoderThreads } from '../../src/file/decoder-threads.js';
import { decodeFile, type RawFormat, rawFormatOfName } from '../../src/file/index.js';
import { encodeMuLaw } from '../../src/g711.js';
import { float32ToInt16, float32ToPcm16 } from '../../src/pcm16.js';
import { SpeechConverter } from '../../src/speech-converter.js';
import { encodeWav } from '../../src/wav-encoder.js';
import { formatsFolder, hasFfmpeg, hasFormats, hear, likeness, pieces } from './decoding.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kikitori-test-'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A tone that rises, so that no two places are alike. */
function chirp(seconds: number, rateHz = 16_000): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: seconds * rateHz }, (_, index) => {
    const time = index / rateHz;
    return 0.5 * Math.sin(2 * Math.PI * (200 + 100 * time) * time);
  });
}

/** Bit for bit; vitest's own comparison takes seconds over so many numbers. */
function isSame(one: Float32Array, other: Float32Array): boolean {
  return Buffer.from(one.buffer).equals(Buffer.from(other.buffer));
}

/** Seven bytes at a time, through the header and into the sound, then somewhat more. */
async function* tinyPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield* pieces(bytes.subarray(0, 4_900), 7);
  yield* pieces(bytes.subarray(4_900), 97);
}

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('who waits for the moment at which decoding begins', () => {
  const wav = encodeWav(chirp(1), { sampleRateHz: 16_000 });

  it('is told once, when a first piece is there and not before', async () => {
    let began = 0;
    async function* source(): AsyncGenerator<Uint8Array, void> {
      expect(began).toBe(0);
      yield wav;
    }
    const beforeDecoding = (): void => {
      began += 1;
    };
    await hear(source(), { beforeDecoding });
    expect(began).toBe(1);
  });

  it('is not told of what is no audio', async () => {
    const beforeDecoding = (): never => expect.fail('nothing is decoded');
    const opening = hear(Buffer.from('<html></html>'), { beforeDecoding });
    await expect(opening).rejects.toMatchObject({ code: 'not_audio' });
  });

  it('can end it', async () => {
    const beforeDecoding = (): never => {
      throw new Error('no room');
    };
    await expect(hear(wav, { beforeDecoding })).rejects.toThrow('no room');
  });
});

describe('a file with more samples than the limit', () => {
  const TOO_MANY = {
    code: 'too_large',
    message: expect.stringMatching(/^This recording has more samples than the limit \(.+\); .+\.$/),
  };
  /** A WAV file of silence, 64 channels at 768 kHz; its header may promise more than it holds. */
  function wide(frames: number, promisedFrames = frames): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(44 + frames * 128);
    bytes.set(encodeWav(new Float32Array(0), { sampleRateHz: 16_000 }).subarray(0, 44));
    const view = new DataView(bytes.buffer);
    view.setUint32(4, 36 + promisedFrames * 128, true);
    view.setUint16(22, 64, true);
    view.setUint32(24, 768_000, true);
    view.setUint32(28, 768_000 * 128, true);
    view.setUint16(32, 128, true);
    view.setUint32(40, promisedFrames * 128, true);
    return bytes;
  }

  it('is refused by its own header, before any of it is decoded', async () => {
    // Of the source nothing but its beginning is asked for.
    async function* promising(): AsyncGenerator<Uint8Array, void> {
      yield wide(64, 10_000_000);
      expect.fail('more was read');
    }
    await expect(decodeFile(promising(), { maxSamples: 10_000_000 })).rejects.toMatchObject(TOO_MANY);
  });

  it.each([100, 2_000])('is refused once they have come, of %i frames', async (frames) => {
    const silent = wide(frames, 0xffff_ffff / 128);
    new DataView(silent.buffer).setUint32(40, 0xffff_ffff, true);
    const maxSamples = frames * 64;
    await hear(silent, { maxSamples });
    await expect(hear(silent, { maxSamples: maxSamples - 1 })).rejects.toMatchObject(TOO_MANY);
  });

  it.skipIf(!hasFfmpeg)('is refused by what ffmpeg says of it', async () => {
    const path = join(folder, 'wide.flac');
    const args = ['-f', 'lavfi', '-i', 'anullsrc=r=192000:cl=7.1:d=2', '-y', path];
    execFileSync('ffmpeg', ['-v', 'error', ...args]);
    for (const ffmpeg of [undefined, false] as const) {
      const options = { maxSamples: 2_000_000, ...(ffmpeg === undefined ? {} : { ffmpeg }) };
      await expect(decodeFile(path, options)).rejects.toMatchObject(TOO_MANY);
    }
  });
});

describe('mixing and resampling', () => {
  const wav = encodeWav(chirp(3, 48_000), { sampleRateHz: 48_000 });
  const sources: readonly (readonly [string, () => Uint8Array, RawFormat | undefined])[] = [
    ['a WAV file', () => wav, undefined],
    ['raw samples', () => wav, { encoding: 's16le', sampleRateHz: 44_100, channels: 2 }],
    ...(hasFormats
      ? [
          [
            'what ffmpeg or a library decodes',
            () => readFileSync(`${formatsFolder}ok/mp3-320-48000.mp3`),
            undefined,
          ] as const,
        ]
      : []),
  ];

  it.each(sources)('of %s is not done in this thread', async (_name, bytes, rawFormat) => {
    const converting = vi.spyOn(SpeechConverter.prototype, 'push');
    const { samples } = await hear(bytes(), rawFormat === undefined ? {} : { rawFormat });
    expect(samples.length).toBeGreaterThan(0);
    expect(converting).not.toHaveBeenCalled();
  });

  it('of a file that is sooner done than a thread begun is', async () => {
    const converting = vi.spyOn(SpeechConverter.prototype, 'push');
    await hear(wav.subarray(0, 250_000));
    expect(converting).toHaveBeenCalled();
  });
});

describe('sources', () => {
  const sound = chirp(3);
  const wav = encodeWav(sound, { sampleRateHz: 16_000, encoding: 'f32le' });

  it.each([
    [
      'raw samples',
      () => float32ToPcm16(sound),
      { encoding: 's16le', sampleRateHz: 16_000, channels: 1 } as const,
    ],
    ['WAV', () => wav, undefined],
  ])('that are live are heard at once: %s on a pipe that goes on later', async (_, bytes, rawFormat) => {
    let goOn = (): void => {};
    const later = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* pipe(): AsyncGenerator<Uint8Array> {
      yield bytes().subarray(0, 4000);
      await later;
      yield bytes().subarray(4000);
    }
    const file = await decodeFile(pipe(), rawFormat === undefined ? {} : { rawFormat });
    let heard = 0;
    for await (const chunk of file) {
      heard += chunk.length;
      goOn();
    }
    expect(heard).toBe(sound.length);
  });

  it.each([
    ['a path', () => write('chirp.wav', wav)],
    ['bytes', () => wav],
    ['a stream of Node', () => Readable.from(pieces(wav, 1_000))],
    ['an async generator of tiny pieces', () => tinyPieces(wav)],
    ['one large piece', () => pieces(wav, wav.length)],
  ])('gives the same samples from %s', async (_, source) => {
    const { file, samples, chunkLengths } = await hear(source());
    expect(file).toMatchObject({ format: 'wav', decoder: 'own', sampleRateHz: 16_000, channels: 1 });
    expect(file.durationMs).toBe(3_000);
    expect(isSame(samples, sound)).toBe(true);
    expect(Math.max(...chunkLengths)).toBeLessThanOrEqual(8_000);
    expect(file.isDamaged).toBe(false);
  });

  it('reads the rate and the channels of the file, and mixes and resamples', async () => {
    const stereo = chirp(2, 48_000);
    const { file, samples } = await hear(
      encodeWav(stereo, { sampleRateHz: 48_000, channels: 2, encoding: 's16le' }),
    );
    expect(file).toMatchObject({ sampleRateHz: 48_000, channels: 2, durationMs: 1_000 });
    expect(samples.length).toBe(16_000);
  });

  it('destroys a stream whose rest is not wanted', async () => {
    const stream = Readable.from(pieces(wav, 1_000));
    for await (const _ of await decodeFile(stream)) break;
    expect(stream.destroyed).toBe(true);
  });

  it('reads no further ahead than the probe and a piece', async () => {
    const long = encodeWav(chirp(20), { sampleRateHz: 16_000, encoding: 's16le' });
    let givenBytes = 0;
    async function* counted(): AsyncGenerator<Uint8Array, void> {
      for await (const piece of pieces(long, 4_096)) {
        givenBytes += piece.length;
        yield piece;
      }
    }
    let takenSamples = 0;
    for await (const chunk of await decodeFile(counted())) {
      takenSamples += chunk.length;
      expect(givenBytes - takenSamples * 2).toBeLessThan(64 * 1024 + 2 * 65_536);
    }
    expect(takenSamples).toBe(20 * 16_000);
  });

  it('does not wait for a stream that gives nothing once the signal aborts', async () => {
    const controller = new AbortController();
    const opening = decodeFile(new Readable({ read() {} }), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
  });

  it('asks nothing of anybody where the signal was aborted before', async () => {
    const signal = AbortSignal.abort(new Error('before'));
    await expect(decodeFile(join(folder, 'chirp.wav'), { signal })).rejects.toThrow('before');
  });

  it.each([
    ['a file that is not there', () => join(folder, 'nothing.wav'), 'file_not_found'],
    ['a folder', () => folder, 'file_unreadable'],
    ['a stream of text', () => Readable.from(['not', 'bytes']), 'file_unreadable'],
    ['an empty stream', () => Readable.from([]), 'not_audio'],
    ['no bytes', () => new Uint8Array(0), 'not_audio'],
  ])('says what is wrong with %s', async (_, source, code) => {
    await expect(decodeFile(source() as string)).rejects.toMatchObject({ name: 'AudioError', code });
  });

  it.each([{ stallTimeoutMs: 0 }, { maxDurationMs: Number.NaN }, { maxDurationMs: -1 }])(
    'refuses the limits %o',
    async (options) => {
      await expect(decodeFile(wav, options)).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  );

  it('refuses sound beyond the limit, after having given what is within', async () => {
    const file = await decodeFile(wav, { maxDurationMs: 2_000 });
    let samples = 0;
    const loop = async (): Promise<void> => {
      for await (const chunk of file) samples += chunk.length;
    };
    await expect(loop()).rejects.toMatchObject({ code: 'too_large' });
    expect(samples).toBe(32_000);
  });
});

describe('raw samples', () => {
  const sound = chirp(1, 8_000);

  it('are read as told, whatever they look like', async () => {
    const wav = encodeWav(sound, { sampleRateHz: 8_000, encoding: 's16le' });
    const rawFormat = { encoding: 's16le', sampleRateHz: 16_000, channels: 1 } as const;
    const { file, samples } = await hear(wav, { rawFormat });
    expect(file).toMatchObject({ format: 'raw', decoder: 'own', durationMs: Math.round(wav.length / 32) });
    expect(samples.length).toBe(Math.floor(wav.length / 2));
  });

  it('of telephone lines are known by their extension', async () => {
    const codes = encodeMuLaw(float32ToInt16(sound));
    const { file, samples } = await hear(write('call.ULAW', codes));
    expect(file).toMatchObject({ format: 'raw', sampleRateHz: 8_000, durationMs: 1_000 });
    expect(samples.length).toBe(16_000);
  });

  it('on a stream are known by the name that the caller gives', async () => {
    const bytes = float32ToPcm16(chirp(1));
    const { samples } = await hear(pieces(bytes, 777), { fileName: 'x.pcm' });
    expect(samples.length).toBe(16_000);
    await expect(hear(pieces(bytes, 777))).rejects.toMatchObject({ code: 'not_audio' });
  });

  it('do not hide a file with a header', async () => {
    const { file } = await hear(
      write('named.raw', encodeWav(sound, { sampleRateHz: 8_000, encoding: 's16le' })),
    );
    expect(file.format).toBe('wav');
  });

  it('are not made of text', async () => {
    await expect(hear(write('notes.raw', 'dear diary, '.repeat(50)))).rejects.toMatchObject({
      code: 'not_audio',
    });
  });

  it.each([
    { encoding: 's16le', sampleRateHz: 999, channels: 1 },
    { encoding: 's16le', sampleRateHz: 8_000, channels: 0 },
    { encoding: 's16le', sampleRateHz: 8_000, channels: 65 },
    { encoding: 's16le', sampleRateHz: 8_000.5, channels: 1 },
    { encoding: 'toString', sampleRateHz: 8_000, channels: 1 },
  ])('with impossible facts are refused: %o', async (rawFormat) => {
    const opening = decodeFile(new Uint8Array(64), { rawFormat: rawFormat as never });
    await expect(opening).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('have their names in one table', () => {
    expect(rawFormatOfName('/calls/a.Alaw')).toEqual({ encoding: 'alaw', sampleRateHz: 8_000, channels: 1 });
    expect(rawFormatOfName('a.wav')).toBeUndefined();
  });
});

describe.skipIf(!hasFormats)('an MP4 file on a stream', () => {
  // A temporary folder of its own: others on this machine decode, too.
  let temporary = '';
  beforeEach(() => {
    temporary = mkdtempSync(join(folder, 'temporary-'));
    vi.stubEnv('TMPDIR', temporary);
  });
  afterEach(() => vi.unstubAllEnvs());
  const leftovers = (): string[] => readdirSync(temporary);
  const read = (name: string): Uint8Array => readFileSync(`${formatsFolder}ok/${name}`);

  it.skipIf(!hasFfmpeg).each(['m4a-aac-lc.m4a', 'm4a-aac-faststart.m4a', 'mp4-aac-fragmented.mp4'])(
    'is decoded wherever its index is, and leaves no temporary file: %s',
    async (name) => {
      const { file, samples } = await hear(pieces(read(name), 5_000));
      expect(file).toMatchObject({ format: 'mp4', decoder: 'ffmpeg' });
      expect(Math.abs(samples.length / 16_000 - 4.05)).toBeLessThan(0.1);
      expect(leftovers()).toEqual([]);
    },
  );

  it('with plain samples needs no ffmpeg', async () => {
    const { file, samples } = await hear(pieces(read('mov-pcm.mov'), 5_000), { ffmpeg: false });
    expect(file.decoder).toBe('library');
    const reference = await hear(`${formatsFolder}ok/wav-s16-16k.wav`);
    expect(likeness(samples, reference.samples)).toBeGreaterThan(0.9999);
    expect(leftovers()).toEqual([]);
  });

  it('leaves no temporary file where it can not be decoded, or is not listened to', async () => {
    await expect(hear(pieces(read('m4a-aac-lc.m4a'), 5_000), { ffmpeg: false })).rejects.toMatchObject({
      code: 'decoder_missing',
    });
    const file = await decodeFile(pieces(read('mov-pcm.mov'), 5_000), { ffmpeg: false });
    await file.close();
    expect(leftovers()).toEqual([]);
  });
});

describe('NIST SPHERE', () => {
  const header =
    'NIST_1A\n   1024\nsample_rate -i 16000\nsample_count -i 1600\nchannel_count -i 1\nsample_n_bytes -i 2\nsample_byte_format -s2 01\nend_head\n';
  const sphere = Buffer.concat([Buffer.from(header.padEnd(1_024)), Buffer.alloc(3_200)]);

  it('is left to ffmpeg, and without it the message says so', async () => {
    await expect(hear(sphere, { ffmpeg: false })).rejects.toThrow(/^NIST SPHERE needs ffmpeg: install it/);
  });

  it.skipIf(!hasFfmpeg)('is read by ffmpeg', async () => {
    const { file, samples } = await hear(sphere);
    expect([file.format, file.decoder, samples.length]).toEqual(['sphere', 'ffmpeg', 1_600]);
  });
});

describe.skipIf(!hasFormats)('the library decoders', () => {
  it.each(['ok/flac-16k.flac', 'ok/mp3-cbr64-22050-mono.mp3', 'ok/ogg-opus-24k.ogg', 'ok/webm-vorbis.webm'])(
    'give the same from a stream of odd pieces as from the file: %s',
    async (name) => {
      const fromFile = await hear(formatsFolder + name, { ffmpeg: false });
      const fromStream = await hear(pieces(readFileSync(formatsFolder + name), 997), { ffmpeg: false });
      expect(fromFile.file.decoder).toBe('library');
      expect(isSame(fromStream.samples, fromFile.samples)).toBe(true);
    },
  );

  it('are ended where they answer nothing', async () => {
    // No thread has started within a millisecond, where none is left from before.
    await decoderThreads.end();
    const opening = decodeFile(`${formatsFolder}ok/flac-16k.flac`, { ffmpeg: false, stallTimeoutMs: 1 });
    await expect(opening).rejects.toMatchObject({ code: 'decoder_stalled' });
  });

  it('end with the loop and with the signal', async () => {
    const path = `${formatsFolder}ok/flac-16k.flac`;
    for await (const _ of await decodeFile(path, { ffmpeg: false })) break;
    const controller = new AbortController();
    const file = await decodeFile(path, { ffmpeg: false, signal: controller.signal });
    const loop = async (): Promise<void> => {
      for await (const _ of file) controller.abort(new Error('enough'));
    };
    await expect(loop()).rejects.toThrow('enough');
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort')).toEqual([]);
  });
});
