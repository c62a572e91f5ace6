import { abortable, throwIfAborted } from './abortable.js';
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
 * in a worker. Rejects with `CaptureError`: `too_long` (also where the browser has no memory for it), `undecodable`,
 * `load_failed` or, at once when the signal fires, `aborted`. A browser's decoder cannot be stopped: aborted, what it
 * gives in the end is dropped.
 */
export async function decodeFile(
  file: Blob,
  { workerUrl, signal }: DecodeFileOptions,
): Promise<Float32Array<ArrayBuffer>> {
  throwIfAborted(signal);
  if (file.size > CAPTURE_LIMITS.fileBytesMax) throw tooLong();
  const { length, sampleRate, duration, numberOfChannels, getChannel } = await abortable(
    decoded(file),
    signal,
  );
  if (duration * 1000 > CAPTURE_LIMITS.fileMsMax) throw tooLong();
  const channels = Math.min(numberOfChannels, CAPTURE_LIMITS.channels);
  const conversion = new Conversion(workerUrl, { sampleRateHz: sampleRate, channels });
  try {
    const data = Array.from({ length: channels }, (_, index) => getChannel(index));
    return await abortable(conversion.run(data, length), signal);
  } catch (error) {
    throw error instanceof RangeError ? tooLong() : error;
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

async function decoded(file: Blob): Promise<Decoded> {
  const bytes = await file.arrayBuffer().catch((error: unknown) => {
    throw new CaptureError('undecodable', 'The file cannot be read; was it moved or changed?', error);
  });
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
  #isClosed = false;

  constructor(workerUrl: string | URL, format: { readonly sampleRateHz: number; readonly channels: number }) {
    this.#worker = new Worker(workerUrl, { type: 'module' });
    this.#format = format;
  }

  async run(channels: readonly Float32Array[], frames: number): Promise<Float32Array<ArrayBuffer>> {
    const parts: Float32Array[] = [];
    for (let from = 0, isLast = false; !isLast && !this.#isClosed; from += CAPTURE_LIMITS.convertFrames) {
      const until = Math.min(frames, from + CAPTURE_LIMITS.convertFrames);
      isLast = until === frames;
      parts.push(await this.#convert(interleaved(channels, from, until), isLast));
    }
    const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let filled = 0;
    for (const part of parts) {
      whole.set(part, filled);
      filled += part.length;
    }
    return whole;
  }

  /** What runs never settles; nobody waits for it. */
  close(): void {
    this.#isClosed = true;
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
