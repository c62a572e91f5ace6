import { CaptureError } from './errors.js';
import { CAPTURE_LIMITS } from './limits.js';
import type { WorkerAudio, WorkerRequest } from './worker-messages.js';

/** How a file is decoded. */
export interface DecodeFileOptions {
  /** Where `dist/browser/capture-worker.js` of this package is served, bundled. */
  readonly workerUrl: string | URL;
  readonly signal?: AbortSignal;
}

/**
 * Decodes a whole audio or video file with the browser's decoders, and gives mono samples at 16 kHz, resampled by our filter
 * in a worker. Rejects with `CaptureError`: `too_long`, `undecodable`, `load_failed` or `aborted`.
 */
export async function decodeFile(
  file: Blob,
  { workerUrl, signal }: DecodeFileOptions,
): Promise<Float32Array<ArrayBuffer>> {
  if (file.size > CAPTURE_LIMITS.fileBytesMax) throw tooLong();
  const bytes = await file.arrayBuffer();
  throwIfAborted(signal);
  const { length, sampleRate, duration, numberOfChannels, getChannel } = await decoded(bytes);
  if (duration * 1000 > CAPTURE_LIMITS.fileMsMax) throw tooLong();
  throwIfAborted(signal);
  const channels = Math.min(numberOfChannels, CAPTURE_LIMITS.channels);
  const conversion = new Conversion(workerUrl, { sampleRateHz: sampleRate, channels }, signal);
  try {
    const data = Array.from({ length: channels }, (_, index) => getChannel(index));
    return await conversion.run(data, length);
  } finally {
    conversion.close();
  }
}

interface Decoded {
  readonly length: number;
  readonly sampleRate: number;
  readonly duration: number;
  readonly numberOfChannels: number;
  readonly getChannel: (index: number) => Float32Array;
}

async function decoded(bytes: ArrayBuffer): Promise<Decoded> {
  const context = new OfflineAudioContext(1, 1, CAPTURE_LIMITS.decodeRateHz);
  const buffer = await context.decodeAudioData(bytes).catch((error: unknown) => {
    throw new CaptureError('undecodable', 'This browser cannot read that file as sound.', error);
  });
  const { length, sampleRate, duration, numberOfChannels } = buffer;
  const getChannel = (index: number): Float32Array => buffer.getChannelData(index);
  return { length, sampleRate, duration, numberOfChannels, getChannel };
}

/** A recording on its way through the worker, piece by piece: never two of its copies at once. */
class Conversion {
  readonly #worker: Worker;
  readonly #format: { readonly sampleRateHz: number; readonly channels: number };
  readonly #signal: AbortSignal | undefined;

  constructor(
    workerUrl: string | URL,
    format: { readonly sampleRateHz: number; readonly channels: number },
    signal: AbortSignal | undefined,
  ) {
    this.#worker = new Worker(workerUrl, { type: 'module' });
    this.#format = format;
    this.#signal = signal;
  }

  async run(channels: readonly Float32Array[], frames: number): Promise<Float32Array<ArrayBuffer>> {
    const parts: Float32Array[] = [];
    for (let from = 0, isLast = false; !isLast; from += CAPTURE_LIMITS.convertFrames) {
      const until = Math.min(frames, from + CAPTURE_LIMITS.convertFrames);
      isLast = until === frames;
      parts.push(await this.#convert(interleaved(channels, from, until), isLast));
      throwIfAborted(this.#signal);
    }
    const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let filled = 0;
    for (const part of parts) {
      whole.set(part, filled);
      filled += part.length;
    }
    return whole;
  }

  close(): void {
    this.#worker.terminate();
  }

  async #convert(samples: Float32Array<ArrayBuffer>, isLast: boolean): Promise<Float32Array> {
    return await new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<WorkerAudio>) => resolve(data.samples);
      this.#worker.onerror = () => {
        reject(new CaptureError('load_failed', 'The converter could not be loaded from the server.'));
      };
      const request: WorkerRequest = { type: 'convert', interleaved: samples, isLast, ...this.#format };
      this.#worker.postMessage(request, [samples.buffer]);
    });
  }
}

function interleaved(
  channels: readonly Float32Array[],
  from: number,
  until: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array((until - from) * channels.length);
  for (const [index, data] of channels.entries()) {
    for (let frame = from, at = index; frame < until; frame++, at += channels.length) {
      out[at] = data[frame] ?? 0;
    }
  }
  return out;
}

function tooLong(): CaptureError {
  return new CaptureError('too_long', 'The file is too long for a browser; use kikitori transcribe for it.');
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CaptureError('aborted', 'The caller aborted.', signal.reason);
}
