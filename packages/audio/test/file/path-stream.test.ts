import { execFileSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeFile, descriptorOf, isStreamPath } from '../../src/file/index.js';
import { encodeWav } from '../../src/index.js';

let folder = '';
let wavPath = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-paths-'));
  wavPath = join(folder, 'sound.wav');
  await writeFile(wavPath, WAV);
});
afterAll(() => rm(folder, { recursive: true }));

const SAMPLES = 16_000;
const WAV = encodeWav(
  Float32Array.from({ length: SAMPLES }, (_, i) => Math.sin(i / 9) / 2),
  { sampleRateHz: 16_000, encoding: 's16le' },
);

async function samplesOf(path: string, signal?: AbortSignal): Promise<number> {
  let samples = 0;
  for await (const chunk of await decodeFile(path, signal === undefined ? {} : { signal })) {
    samples += chunk.length;
  }
  return samples;
}

it.each([
  ['/dev/stdin', 0],
  ['/dev/fd/0', 0],
  ['/dev/fd/63', 63],
  ['/proc/self/fd/3', 3],
  ['/dev/fd/x', undefined],
  ['/dev/fd/3/more', undefined],
  ['dev/fd/3', undefined],
  ['-', undefined],
])('%s names the descriptor %s', (path, descriptor) => {
  expect(descriptorOf(path)).toBe(descriptor);
});

// Windows has neither.
describe.skipIf(process.platform === 'win32')('a path that is no file', () => {
  it('is read as a stream is: an open file from where it stands, to its end', async () => {
    // Whoever reads it closes it.
    const path = `/dev/fd/${openSync(wavPath, 'r')}`;
    expect([await isStreamPath(path), await isStreamPath(wavPath), await isStreamPath(folder)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await samplesOf(path)).toBe(SAMPLES);
  });

  it('is waited for where it is a FIFO that nobody writes to yet, and read to its end', async () => {
    const fifo = join(folder, 'pipe');
    execFileSync('mkfifo', [fifo]);
    const reading = samplesOf(fifo);
    await writeFile(fifo, WAV);
    expect(await reading).toBe(SAMPLES);
  });

  it('is given up with the signal, and holds none of the threads that would keep the process from ending', async () => {
    const fifo = join(folder, 'silent');
    execFileSync('mkfifo', [fifo]);
    const reason = new Error('enough');
    // More than there are threads: a file could not be opened any more.
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const controller = new AbortController();
        const reading = samplesOf(fifo, controller.signal);
        await new Promise((resolve) => setImmediate(resolve));
        controller.abort(reason);
        await expect(reading).rejects.toBe(reason);
      }),
    );
    expect(await samplesOf(wavPath)).toBe(SAMPLES);
  });
});
