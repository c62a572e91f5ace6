import { AudioError } from '../errors.js';
import { openFfmpegSound } from './ffmpeg-sound.js';
import type { AudioFormat } from './format-table.js';
import { openPcm } from './own-decoder.js';
import type { PcmLayout } from './pcm-layout.js';
import { type AudioTracks, checkFacts, type PcmStream } from './pcm-stream.js';
import { checkPromise, speechChunks } from './speech-chunks.js';
import { openWav } from './wav-source.js';

/** Which rung of the ladder decoded a file. */
export type DecoderName = 'own' | 'ffmpeg' | 'library';

/** How much of a file is decoded at most. */
export interface SpeechLimits {
  /** Length of the sound, ms. */
  readonly maxDurationMs: number;
  /** Samples of all channels, at the file's own rate. */
  readonly maxSamples: number;
}

/** What bytes are, and so how they become samples; data alone, so that it can be handed to a thread. */
export type DecodingTask = SpeechLimits &
  (
    | { readonly kind: 'wav' | 'pcm'; readonly sizeBytes: number | undefined; readonly layout?: PcmLayout }
    /** What ffmpeg writes: with a clock that shows `zeroMs` where the file begins (undefined: not known), or without one. */
    | { readonly kind: 'ffmpeg'; readonly hasClock: boolean; readonly zeroMs: number | undefined }
    /** A library's: `path` is a file that it may read itself, in any order. */
    | { readonly kind: 'library'; readonly format: AudioFormat; readonly path: string | undefined }
  );

/** Decoded sound as a recogniser hears it. */
export interface SpeechStream {
  /** Of the file, Hz; where it is several, one behind the other, of the first. */
  readonly sampleRateHz: number;
  /** Likewise. */
  readonly channels: number;
  /** What the header promises; undefined where it does not say. */
  readonly durationMs: number | undefined;
  /** Mono, 16 kHz, −1…1, at most `CHUNK_SAMPLES_MAX`, each a fresh array. One consumer, once. */
  readonly chunks: AsyncGenerator<Float32Array<ArrayBuffer>, void>;
  /** Set where the file says that it has several tracks. */
  readonly tracks: AudioTracks | undefined;
  /** After the last chunk: was something missing or broken on the way? */
  readonly isDamaged: () => boolean;
  /** After the last chunk: bytes behind the stated end of the sound that were not taken for sound. */
  readonly leftOutBytes: () => number;
}

/**
 * Decodes, mixes down and resamples, in the thread in which it is called. Nothing is computed before the header has been
 * held against the limits. Throws what the decoders do, `file_damaged` for an impossible header, `not_audio` where ffmpeg
 * wrote none, and `too_large`.
 */
export async function openSpeech(
  task: DecodingTask,
  bytes: AsyncGenerator<Uint8Array, void>,
): Promise<SpeechStream> {
  const stream = await openSamples(task, bytes);
  const { sampleRateHz, channels, durationMs, tracks, isDamaged, leftOutBytes = () => 0 } = stream;
  checkFacts(stream);
  checkPromise(stream, task.maxSamples);
  const facts = { sampleRateHz, channels, durationMs, tracks };
  return { ...facts, isDamaged, leftOutBytes, chunks: speechChunks(stream, task) };
}

async function openSamples(task: DecodingTask, bytes: AsyncGenerator<Uint8Array, void>): Promise<PcmStream> {
  switch (task.kind) {
    case 'wav':
      return openWav({ sizeBytes: task.sizeBytes, bytes: () => bytes });
    case 'pcm': {
      if (task.layout === undefined) throw new AudioError('invalid_argument', 'Plain samples need a layout.');
      return openPcm({ sizeBytes: task.sizeBytes, bytes: () => bytes }, task.layout);
    }
    case 'ffmpeg':
      return await openFfmpegSound(bytes, task);
    case 'library':
      // The libraries are large, and mostly not needed.
      return (await import('./library-table.js')).openLibraryStream(task.format, task.path, bytes);
  }
}
