import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AudioError } from '../../src/errors.js';
import { DecoderThread, DecoderThreads, decoderThreads } from '../../src/file/decoder-threads.js';
import { decodeFile } from '../../src/file/index.js';
import { DECODER_THREAD_IDLE_MS, DECODER_THREAD_KEPT_BYTES_MAX } from '../../src/file/limits.js';
import { formatsFolder, hasFfmpeg, hasFormats, hear } from './decoding.js';

/** More than is made speech of without a thread: ten seconds. */
const bytes = new Uint8Array(320_000);
const rawFormat = { encoding: 's16le', sampleRateHz: 16_000, channels: 1 } as const;
/** Said to be MP3, and of zeros: the thread finds no sound in it. */
const noSound = new TextEncoder().encode(`ID3\u0004${'\0'.repeat(10_000)}`);

/** Threads that were begun since the test was. */
let begun: Worker[] = [];
const notice = (worker: Worker): number => begun.push(worker);
beforeEach(async () => {
  await decoderThreads.end();
  begun = [];
  process.on('worker', notice);
});
afterEach(() => {
  process.off('worker', notice);
  vi.useRealTimers();
});

describe('a thread that has come to the end of a file', () => {
  it('decodes the next one, of whatever kind', async () => {
    for (let file = 0; file < 3; file += 1) await hear(bytes, { rawFormat });
    await expect(hear(noSound, { ffmpeg: false })).rejects.toMatchObject({ code: 'decode_failed' });
    expect(begun).toHaveLength(1);
  });

  it('waits alone: of two, one ends', async () => {
    await Promise.all([hear(bytes, { rawFormat }), hear(bytes, { rawFormat })]);
    expect(begun).toHaveLength(2);
    expect(begun.filter((worker) => worker.threadId > 0)).toHaveLength(1);
  });

  it('ends when nothing has come for a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await hear(bytes, { rawFormat });
    vi.advanceTimersByTime(DECODER_THREAD_IDLE_MS - 1);
    await hear(bytes, { rawFormat });
    vi.advanceTimersByTime(DECODER_THREAD_IDLE_MS - 1);
    expect(begun.map((worker) => worker.threadId > 0)).toEqual([true]);
    const [worker] = begun;
    if (worker === undefined) throw new Error('No thread was begun.');
    const exited = once(worker, 'exit');
    vi.advanceTimersByTime(1);
    await exited;
    await hear(bytes, { rawFormat });
    expect(begun).toHaveLength(2);
  });

  it('ends where it holds too much', async () => {
    const threads = new DecoderThreads();
    const thread = DecoderThread.start();
    await threads.keep(thread, DECODER_THREAD_KEPT_BYTES_MAX + 1);
    expect(thread.isGone).toBe(true);
    const next = threads.take();
    expect(next).not.toBe(thread);
    await threads.keep(next, DECODER_THREAD_KEPT_BYTES_MAX);
    expect(threads.take()).toBe(next);
    await next.end();
  });

  it('keeps no process alive', async ({ signal }) => {
    // Whatever would end after a while takes a day here: that the process ends is all there is to see.
    const index = new URL('../../dist/file/index.js', import.meta.url).href;
    const script = `
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (callback) => setTimeout(callback, 86_400_000);
      const { decodeFile } = await import(${JSON.stringify(index)});
      let samples = 0;
      for await (const chunk of await decodeFile(new Uint8Array(${bytes.length}), { rawFormat: ${JSON.stringify(rawFormat)} }))
        samples += chunk.length;
      console.log(samples);`;
    const args = ['--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
    expect(stdout).toBe('160000\n');
  });
});

describe('no thread is used again', () => {
  async function expectFreshOne(): Promise<void> {
    expect(begun).toHaveLength(1);
    await hear(bytes, { rawFormat });
    expect(begun).toHaveLength(2);
  }

  it('that failed', async () => {
    await expect(hear(noSound, { ffmpeg: false })).rejects.toMatchObject({ code: 'decode_failed' });
    await expectFreshOne();
  });

  it('whose file was left', async () => {
    for await (const _ of await decodeFile(bytes, { rawFormat })) break;
    await expectFreshOne();
  });

  it('whose file was given up', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const file = await decodeFile(bytes, { rawFormat, signal });
    const loop = async (): Promise<void> => {
      for await (const _ of file) controller.abort(new Error('enough'));
    };
    await expect(loop()).rejects.toThrow('enough');
    await expectFreshOne();
  });

  it('that answered nothing', async () => {
    // No thread has started within a millisecond.
    const opening = decodeFile(bytes, { rawFormat, stallTimeoutMs: 1 });
    await expect(opening).rejects.toMatchObject({ code: 'decoder_stalled' });
    await expectFreshOne();
  });
});

/** Each codec in each container that a library reads, in mono and in stereo, and what ffmpeg gives. */
const GOOD = [
  'ok/flac-16k.flac',
  'ok/flac-in-ogg.oga',
  'ok/mp3-mpeg25-8000.mp3',
  'found/lhotse-stereo.mp3',
  'ok/mp2-48000.mp2',
  'ok/ogg-opus-24k.ogg',
  'found/lhotse-stereo.opus',
  'ok/ogg-vorbis-44100-stereo.ogg',
  'ok/webm-vorbis.webm',
  'ok/webm-opus.webm',
  'ok/mka-pcm.mka',
  'ok/mov-pcm.mov',
  ...(hasFfmpeg ? ['ok/m4a-aac-lc.m4a'] : []),
];

/** A broken file, and one that meets the same decoder next. */
const BROKEN = [
  ['broken/flac-corrupt-frames.flac', 'ok/flac-16k.flac'],
  ['broken/flac-truncated.flac', 'ok/flac-in-ogg.oga'],
  ['broken/mp3-corrupt-middle.mp3', 'found/lhotse-stereo.mp3'],
  ['broken/mp3-id3-size-lie.mp3', 'ok/mp3-mpeg25-8000.mp3'],
  ['broken/opus-bad-page-crc.ogg', 'found/lhotse-stereo.opus'],
  ['broken/vorbis-setup-cut.ogg', 'ok/ogg-vorbis-44100-stereo.ogg'],
  ['broken/webm-corrupt-middle.webm', 'ok/webm-opus.webm'],
  ['broken/m4a-no-moov.m4a', 'ok/mov-pcm.mov'],
] as const;

describe.skipIf(!hasFormats)('a thread that has decoded other files', () => {
  const inFreshThread = new Map<string, string>();

  /** Every bit that a file gives, and what is said of it. */
  async function fingerprint(name: string): Promise<string> {
    const ffmpeg = name.endsWith('m4a') ? undefined : false;
    const { file, samples } = await hear(formatsFolder + name, ffmpeg === false ? { ffmpeg } : {});
    expect(file.decoder).toBe(ffmpeg === false ? 'library' : 'ffmpeg');
    const { format, sampleRateHz, channels, durationMs, isDamaged } = file;
    const hash = createHash('sha256').update(new Uint8Array(samples.buffer)).digest('hex');
    return JSON.stringify({ format, sampleRateHz, channels, durationMs, isDamaged, hash });
  }

  async function expectUnchanged(name: string): Promise<void> {
    expect([name, await fingerprint(name)]).toEqual([name, inFreshThread.get(name)]);
  }

  beforeAll(async () => {
    for (const name of GOOD) {
      await decoderThreads.end();
      inFreshThread.set(name, await fingerprint(name));
    }
  });

  it('gives of each format, bit for bit, what a fresh one gives', async () => {
    for (const name of GOOD.toReversed()) await expectUnchanged(name);
    expect(begun.length).toBeLessThan(GOOD.length);
  });

  it('gives the same after broken files', async () => {
    for (const [broken, good] of BROKEN) {
      await hear(formatsFolder + broken, { ffmpeg: false }).catch((error: unknown) => {
        if (!(error instanceof AudioError)) throw error;
      });
      await expectUnchanged(good);
    }
  });
});
