import { AudioError } from '../errors.js';
import { ByteCursor } from './byte-cursor.js';
import { DECODED_PACKET_BYTES_MAX } from './limits.js';
import { openMatroska } from './matroska-packets.js';
import { openMatroskaPcm } from './matroska-pcm.js';
import type { PcmStream } from './pcm-stream.js';
import { clocked, onTimeline, Timeline } from './timeline.js';

/** The clock of the file that ffmpeg reads. */
export interface FfmpegClock {
  readonly hasClock: boolean;
  /** What it shows where the earliest of sound and picture begins, ms; undefined: not known, the sound is taken for that. */
  readonly zeroMs: number | undefined;
}

/**
 * What ffmpeg writes into its pipe: floats in Matroska, which unlike WAV says when each piece of sound begins. Throws `not_audio` where it wrote no header.
 */
export async function openFfmpegSound(
  bytes: AsyncIterable<Uint8Array>,
  { hasClock, zeroMs }: FfmpegClock,
): Promise<PcmStream> {
  const options = { zeroMs: 0, packetBytesMax: DECODED_PACKET_BYTES_MAX };
  const audio = await openMatroska(new ByteCursor(bytes), options).catch((error: unknown) => {
    if (!(error instanceof AudioError)) throw error;
  });
  const stream = audio ? openMatroskaPcm(audio) : undefined;
  if (!audio || stream === undefined) throw new AudioError('not_audio', 'ffmpeg gave no sound.');
  if (!hasClock) return stream;
  return onTimeline(stream, clocked(stream.blocks, audio.takeClockMs), new Timeline(zeroMs));
}
