import { AudioError } from '../errors.js';
import { ByteCursor } from './byte-cursor.js';
import type { AudioFormat } from './format-table.js';
import { openJoined } from './joined-streams.js';
import { type MatroskaAudio, openMatroska } from './matroska-packets.js';
import { openMatroskaPcm } from './matroska-pcm.js';
import { checkEncodings } from './matroska-tracks.js';
import { openOgg } from './ogg-library.js';
import type { PcmStream } from './pcm-stream.js';
import { clocked, onTimeline, Timeline } from './timeline.js';

/**
 * Opens a file with the library for its format. Each library is loaded when it is needed: they are large.
 * Throws `decoder_missing` where there is none, or the decoder's error.
 */
export async function openLibraryStream(
  format: AudioFormat,
  path: string | undefined,
  bytes: AsyncIterable<Uint8Array>,
): Promise<PcmStream> {
  switch (format) {
    case 'mp3':
      return (await import('./mpeg-library.js')).openMpeg(bytes);
    case 'flac':
      return (await import('./flac-library.js')).openNativeFlac(bytes);
    case 'ogg-opus':
    case 'ogg-vorbis':
    case 'ogg-flac':
      return openOgg(bytes);
    case 'matroska':
      return openMatroskaStreams(bytes);
    case 'mp4':
      if (path !== undefined) return (await import('./quicktime-library.js')).openQuickTimePcm(path);
  }
  throw new AudioError('decoder_missing', 'This format needs ffmpeg; install ffmpeg and try again.');
}

/** WebM or Matroska, also several files in one. */
function openMatroskaStreams(bytes: AsyncIterable<Uint8Array>): Promise<PcmStream> {
  const cursor = new ByteCursor(bytes);
  return openJoined(async () => {
    const audio = await openMatroska(cursor);
    if (audio === undefined) return undefined;
    const stream = await openTrack(audio);
    const timed = onTimeline(stream, clocked(stream.blocks, audio.takeClockMs), new Timeline(0));
    return {
      ...timed,
      tracks: audio.tracks,
      isDamaged: () => audio.isDamaged() || timed.isDamaged(),
    };
  });
}

async function openTrack(audio: MatroskaAudio): Promise<PcmStream> {
  checkEncodings(audio.track);
  const { codecId } = audio.track;
  if (codecId === 'A_OPUS') return (await import('./opus-library.js')).openMatroskaOpus(audio);
  if (codecId === 'A_VORBIS') return (await import('./vorbis-library.js')).openMatroskaVorbis(audio);
  if (codecId === 'A_FLAC') return (await import('./flac-library.js')).openMatroskaFlac(audio);
  if (codecId === 'A_MPEG/L3' || codecId === 'A_MPEG/L2')
    return (await import('./mpeg-library.js')).openMpeg(packetBytes(audio));
  const samples = openMatroskaPcm(audio);
  if (samples !== undefined) return samples;
  throw new AudioError(
    'decoder_missing',
    'The codec in this WebM or Matroska file needs ffmpeg; install ffmpeg and try again.',
  );
}

async function* packetBytes(audio: MatroskaAudio): AsyncGenerator<Uint8Array, void> {
  for await (const packet of audio.packets) yield packet.bytes;
}
