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

/** A recording as the browser has decoded it. */
export interface DecodedRecording {
  /** Samples of each channel. */
  readonly length: number;
  readonly sampleRate: number;
  readonly duration: number;
  readonly numberOfChannels: number;
  readonly getChannel: (index: number) => Float32Array;
}

/** How a file is decoded of which parts may be heard apart. */
export interface DecodeLanesOptions extends DecodeFileOptions {
  /** The channels that are mixed for each of what is heard apart, from 0 on. */
  readonly lanesOf: (recording: DecodedRecording) => Promise<readonly (readonly number[])[]>;
}

/**
 * Decodes a whole audio or video file with the browser's decoders, and gives mono samples at 16 kHz, mixed of all channels and
 * resampled by our filter in a worker. Rejects with `CaptureError`: `too_long` (also where the browser has no memory for it),
 * `undecodable`, `load_failed` or, at once when the signal fires, `aborted`. A browser's decoder cannot be stopped: aborted,
 * what it gives in the end is dropped.
 */
export async function decodeFile(file: Blob, options: DecodeFileOptions): Promise<Float32Array<ArrayBuffer>> {
  const lanesOf: DecodeLanesOptions['lanesOf'] = async ({ numberOfChannels }) => [
    Array.from({ length: numberOfChannels }, (_, channel) => channel),
  ];
  const [samples = new Float32Array(0)] = await decodeLanes(file, { ...options, lanesOf });
  return samples;
}

/** The same for each of what is heard apart. Throws what `lanesOf` does, too. */
export async function decodeLanes(
  file: Blob,
  { workerUrl, signal, lanesOf }: DecodeLanesOptions,
): Promise<Float32Array<ArrayBuffer>[]> {
  throwIfAborted(signal);
  if (file.size > CAPTURE_LIMITS.fileBytesMax) throw tooLong();
  const recording = await abortable(decoded(file), signal);
  const { length, sampleRate, duration, getChannel } = recording;
  if (duration * 1000 > CAPTURE_LIMITS.fileMsMax) throw tooLong();
  const conversion = new Conversion(workerUrl, sampleRate);
  try {
    const lanes: Float32Array<ArrayBuffer>[] = [];
    for (const channels of await abortable(lanesOf(recording), signal)) {
      lanes.push(await abortable(conversion.run(channels.map(getChannel), length), signal));
    }
    return lanes;
  } catch (error) {
    throw error instanceof RangeError ? tooLong() : error;
  } finally {
    conversion.close();
  }
}

async function decoded(file: Blob): Promise<DecodedRecording> {
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
  readonly #sampleRateHz: number;
  #isClosed = false;

  constructor(workerUrl: string | URL, sampleRateHz: number) {
    this.#worker = new Worker(workerUrl, { type: 'module' });
    this.#sampleRateHz = sampleRateHz;
  }

  async run(channels: readonly Float32Array[], frames: number): Promise<Float32Array<ArrayBuffer>> {
    const parts: Float32Array[] = [];
    for (let from = 0, isLast = false; !isLast && !this.#isClosed; from += CAPTURE_LIMITS.convertFrames) {
      const until = Math.min(frames, from + CAPTURE_LIMITS.convertFrames);
      isLast = until === frames;
      parts.push(await this.#convert(interleaved(channels, from, until), channels.length, isLast));
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

  async #convert(
    samples: Float32Array<ArrayBuffer>,
    channels: number,
    isLast: boolean,
  ): Promise<Float32Array> {
    return await new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<WorkerAudio>) => resolve(data.samples);
      this.#worker.onerror = () => {
        reject(new CaptureError('load_failed', 'The converter could not be loaded from the server.'));
      };
      const sampleRateHz = this.#sampleRateHz;
      const request: WorkerRequest = {
        type: 'convert',
        interleaved: samples,
        isLast,
        sampleRateHz,
        channels,
      };
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
