import {
  ChannelJudge,
  type ChannelWish,
  JUDGED_CHANNELS,
  type Lanes,
  lanesOfWish,
  mixedLanes,
} from '../channels/index.js';
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

/**
 * What is heard of several channels. A wish: as it says, and `auto` mixes, and finds out on the way whether it should have.
 * `judge`: of two channels nothing is heard, they are only looked at; of others all as one.
 */
export type Hearing = ChannelWish | 'judge' | Lanes;

/** What bytes are, and so how they become samples; data alone, so that it can be handed to a thread. */
export type DecodingTask = SpeechLimits & {
  /** Default `mix`. */
  readonly hearing?: Hearing;
} & (
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
  /** What is heard apart, or was found to be heard apart. */
  readonly lanes: Lanes;
  /** The channels were only looked at: there are no chunks. */
  readonly isJudged: boolean;
  /**
   * Interleaved lanes, 16 kHz, −1…1, at most `CHUNK_SAMPLES_MAX` of each, each a fresh array. One consumer, once.
   */
  readonly chunks: AsyncGenerator<Float32Array<ArrayBuffer>, void>;
  /** Set where the file says that it has several tracks. */
  readonly tracks: AudioTracks | undefined;
  /** After the last chunk: was something missing or broken on the way? */
  readonly isDamaged: () => boolean;
  /** After the last chunk: bytes behind the stated end of the sound that were not taken for sound. */
  readonly leftOutBytes: () => number;
  /** After the last chunk: were different voices mixed? Known where `auto` could not look at them first. */
  readonly isBlended: () => boolean;
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
  const facts = { sampleRateHz, channels, durationMs, tracks, isDamaged, leftOutBytes };
  const { hearing = 'mix' } = task;
  const isPair = channels === JUDGED_CHANNELS;
  if (hearing === 'judge' && isPair) return { ...facts, ...(await judged(stream, task)) };
  const lanes = lanesOf(hearing, channels);
  const judge = hearing === 'auto' && isPair ? new ChannelJudge(stream) : undefined;
  const isBlended = (): boolean => (judge?.lanes({ isWhole: false }).length ?? 1) > 1;
  const chunks = speechChunks(stream, { ...task, lanes, judge });
  return { ...facts, lanes, isJudged: false, isBlended, chunks };
}

function lanesOf(hearing: Hearing, channels: number): Lanes {
  if (hearing === 'judge') return mixedLanes(channels);
  return typeof hearing === 'object' ? hearing : lanesOfWish(hearing, channels);
}

/** Looks at as much of the sound as it takes; of a file that is several, at the first. */
async function judged(
  stream: PcmStream,
  { maxSamples }: SpeechLimits,
): Promise<Pick<SpeechStream, 'lanes' | 'isJudged' | 'isBlended' | 'chunks'>> {
  const judge = new ChannelJudge(stream);
  const isWhole = await isHeardToEnd(stream, judge, maxSamples).catch((error: unknown) => {
    // What can be read of a damaged file is heard, and then it is told.
    if (error instanceof AudioError) return false;
    throw error;
  });
  return { lanes: judge.lanes({ isWhole }), isJudged: true, isBlended: () => false, chunks: nothing() };
}

async function isHeardToEnd(stream: PcmStream, judge: ChannelJudge, maxSamples: number): Promise<boolean> {
  let samples = 0;
  for await (const block of stream.blocks) {
    judge.push(block);
    samples += block.length;
    // What is too large is refused when it is heard.
    if (judge.isSettled || samples > maxSamples) return false;
  }
  return (await stream.next?.()) === undefined;
}

async function* nothing(): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
  // Sound that was only looked at.
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
