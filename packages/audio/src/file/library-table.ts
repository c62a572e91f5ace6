import { AudioError } from '../errors.js';
import { decodeSamples, type PcmEncoding } from '../pcm-samples.js';
import { ByteCursor } from './byte-cursor.js';
import type { AudioFormat } from './format-table.js';
import { openJoined } from './joined-streams.js';
import { type MatroskaAudio, openMatroska } from './matroska-packets.js';
import { openOgg } from './ogg-library.js';
import type { PcmStream } from './pcm-stream.js';

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

const MATROSKA_PCM: Readonly<Record<string, Readonly<Record<number, PcmEncoding>>>> = {
  'A_PCM/INT/LIT': { 8: 'u8', 16: 's16le', 24: 's24le', 32: 's32le' },
  'A_PCM/INT/BIG': { 8: 'u8', 16: 's16be', 24: 's24be', 32: 's32be' },
  'A_PCM/FLOAT/IEEE': { 32: 'f32le', 64: 'f64le' },
};

/** WebM or Matroska, also several files in one. */
function openMatroskaStreams(bytes: AsyncIterable<Uint8Array>): Promise<PcmStream> {
  const cursor = new ByteCursor(bytes);
  return openJoined(async () => {
    const audio = await openMatroska(cursor);
    if (audio === undefined) return undefined;
    const stream = await openTrack(audio);
    return { ...stream, isDamaged: () => audio.isDamaged() || stream.isDamaged() };
  });
}

async function openTrack(audio: MatroskaAudio): Promise<PcmStream> {
  const { codecId, bitDepth } = audio.track;
  if (codecId === 'A_OPUS') return (await import('./opus-library.js')).openMatroskaOpus(audio);
  if (codecId === 'A_VORBIS') return (await import('./vorbis-library.js')).openMatroskaVorbis(audio);
  if (codecId === 'A_FLAC') return (await import('./flac-library.js')).openMatroskaFlac(audio);
  if (codecId === 'A_MPEG/L3' || codecId === 'A_MPEG/L2')
    return (await import('./mpeg-library.js')).openMpeg(packetBytes(audio));
  const encoding = MATROSKA_PCM[codecId]?.[bitDepth];
  if (encoding !== undefined) return matroskaPcm(audio, encoding);
  throw new AudioError(
    'decoder_missing',
    'The codec in this WebM or Matroska file needs ffmpeg; install ffmpeg and try again.',
  );
}

async function* packetBytes(audio: MatroskaAudio): AsyncGenerator<Uint8Array, void> {
  for await (const packet of audio.packets) yield packet.bytes;
}

function matroskaPcm(audio: MatroskaAudio, encoding: PcmEncoding): PcmStream {
  const { sampleRateHz, channels } = audio.track;
  return {
    sampleRateHz,
    channels,
    durationMs: undefined,
    isDamaged: () => false,
    blocks: (async function* () {
      for await (const packet of audio.packets) {
        const samples = decodeSamples(packet.bytes, encoding);
        yield samples.slice(0, samples.length - (samples.length % channels));
      }
    })(),
  };
}
