import { AudioError } from '../errors.js';
import { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN } from '../limits.js';

/** The sound tracks of a file that has several. */
export interface AudioTracks {
  readonly count: number;
  /** The one that is heard, counted from 0: the first that is marked as default, else the first. */
  readonly chosen: number;
}

/** Decoded sound at the file's own rate, before it is mixed down and resampled. */
export interface PcmStream {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** What the header promises; undefined where it does not say. */
  readonly durationMs: number | undefined;
  /** Interleaved samples, whole frames, in order. The array is the reader's to keep. One consumer, once. */
  readonly blocks: AsyncIterable<Float32Array>;
  /** After the last block: was something missing or broken on the way? */
  readonly isDamaged: () => boolean;
  /** Set where a file says that it has several tracks. */
  readonly tracks?: AudioTracks | undefined;
  /** After the last block: bytes behind its stated end that were not taken for sound. Default 0. */
  readonly leftOutBytes?: () => number;
  /** Opens what follows behind the last block, with facts of its own; resolves to undefined at the end of the file. */
  readonly next?: () => Promise<PcmStream | undefined>;
}

/** A header may say anything; what no converter can be built for is damage and not a mistake of the caller. */
export function checkFacts({ sampleRateHz, channels }: PcmStream): void {
  const rateFits =
    Number.isInteger(sampleRateHz) &&
    sampleRateHz >= SAMPLE_RATE_HZ_MIN &&
    sampleRateHz <= SAMPLE_RATE_HZ_MAX;
  if (rateFits && Number.isInteger(channels) && channels >= 1 && channels <= CHANNELS_MAX) return;
  throw new AudioError('file_damaged', 'This file states an impossible sample rate or number of channels.');
}
