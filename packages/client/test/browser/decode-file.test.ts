import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeFile, decodeLanes } from '../../src/browser/decode-file.js';
import { CAPTURE_LIMITS } from '../../src/browser/limits.js';
import type { WorkerAudio, WorkerRequest } from '../../src/browser/worker-messages.js';

type Convert = Extract<WorkerRequest, { type: 'convert' }>;

/** What the browser makes of the file. */
let decoding: () => Promise<object>;
let workers: Converter[];
let answers: boolean;

/** Stands for the worker: a third of the samples, and of them the first channel. */
class Converter {
  onmessage: ((event: { data: WorkerAudio }) => void) | undefined;
  onerror: (() => void) | undefined;
  readonly asked: Convert[] = [];
  isTerminated = false;

  constructor() {
    workers.push(this);
  }

  postMessage(request: Convert): void {
    this.asked.push(request);
    const { interleaved, channels } = request;
    const samples = interleaved.filter((_, index) => index % (3 * channels) === 0);
    const data = { samples, level: { peakDbfs: 0, rmsDbfs: 0 } };
    if (answers) queueMicrotask(() => this.onmessage?.({ data }));
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

function recording(frames: number, numberOfChannels = 2): object {
  const data = Float32Array.from({ length: frames }, (_, index) => index % 1_000);
  const sampleRate = 48_000;
  return {
    length: frames,
    sampleRate,
    duration: frames / sampleRate,
    numberOfChannels,
    getChannelData: () => data,
  };
}

const file = new Blob(['sound']);
const options = { workerUrl: '/worker.js' };

beforeEach(() => {
  workers = [];
  answers = true;
  decoding = async () => recording(48_000);
  vi.stubGlobal('Worker', Converter);
  vi.stubGlobal(
    'OfflineAudioContext',
    class {
      decodeAudioData(): Promise<object> {
        return decoding();
      }
    },
  );
});
afterEach(() => vi.unstubAllGlobals());

describe('a file decoded by the browser', () => {
  it('passes through the worker piece by piece, and lets go of it', async () => {
    const frames = CAPTURE_LIMITS.convertFrames * 2 + 30;
    decoding = async () => recording(frames, 6);
    const samples = await decodeFile(file, options);
    const [worker] = workers;
    expect(worker?.asked.map(({ isLast, channels }) => [isLast, channels])).toEqual([
      [false, 6],
      [false, 6],
      [true, 6],
    ]);
    expect(samples.length).toBe(Math.ceil(CAPTURE_LIMITS.convertFrames / 3) * 2 + 10);
    expect(worker?.isTerminated).toBe(true);
  });

  it('is converted lane by lane where its channels are heard apart', async () => {
    const lanesOf = async ({ numberOfChannels }: { readonly numberOfChannels: number }) => [
      [numberOfChannels - 1],
      [0, 1],
    ];
    const lanes = await decodeLanes(file, { ...options, lanesOf });
    expect(lanes.map(({ length }) => length)).toEqual([16_000, 16_000]);
    expect(workers.map(({ asked }) => asked.map(({ channels, isLast }) => [channels, isLast]))).toEqual([
      [
        [1, true],
        [2, true],
      ],
    ]);
    expect(workers[0]?.isTerminated).toBe(true);
  });

  it('may be empty', async () => {
    decoding = async () => recording(0, 1);
    expect(await decodeFile(file, options)).toHaveLength(0);
  });

  it('is refused when it is no sound, cannot be read, or is too long', async () => {
    decoding = () => Promise.reject(new Error('EncodingError'));
    await expect(decodeFile(file, options)).rejects.toMatchObject({ code: 'undecodable' });
    const moved = Object.assign(new Blob([]), { arrayBuffer: () => Promise.reject(new Error('gone')) });
    await expect(decodeFile(moved, options)).rejects.toMatchObject({ code: 'undecodable' });
    decoding = async () => ({ ...recording(10), duration: 3_601 });
    await expect(decodeFile(file, options)).rejects.toMatchObject({ code: 'too_long' });
    const large = Object.defineProperty(new Blob([]), 'size', { value: CAPTURE_LIMITS.fileBytesMax + 1 });
    await expect(decodeFile(large, options)).rejects.toMatchObject({ code: 'too_long' });
    decoding = async () => ({
      ...recording(10),
      getChannelData: () => {
        throw new RangeError('out of memory');
      },
    });
    await expect(decodeFile(file, options)).rejects.toMatchObject({ code: 'too_long' });
    expect(workers.every(({ isTerminated }) => isTerminated)).toBe(true);
  });

  it('says when the converter is not there', async () => {
    answers = false;
    const decoded = decodeFile(file, options);
    await expect.poll(() => workers[0]?.onerror).toBeDefined();
    workers[0]?.onerror?.();
    await expect(decoded).rejects.toMatchObject({ code: 'load_failed' });
  });

  it('is given up as soon as the signal fires: before, while it is decoded, and while it is converted', async () => {
    const reason = new Error('stop');
    await expect(decodeFile(file, { ...options, signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'aborted',
      cause: reason,
    });
    decoding = () => new Promise(() => undefined);
    const first = new AbortController();
    const decoded = decodeFile(file, { ...options, signal: first.signal });
    first.abort();
    await expect(decoded).rejects.toMatchObject({ code: 'aborted' });
    expect(workers).toEqual([]);
    answers = false;
    decoding = async () => recording(100);
    const second = new AbortController();
    const converted = decodeFile(file, { ...options, signal: second.signal });
    await expect.poll(() => workers[0]?.asked).toHaveLength(1);
    second.abort();
    await expect(converted).rejects.toMatchObject({ code: 'aborted' });
    expect(workers[0]?.isTerminated).toBe(true);
  });
});
