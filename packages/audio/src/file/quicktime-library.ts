import { EncodedPacketSink, FilePathSource, Input, MP4, QTFF } from 'mediabunny';
import { AudioError } from '../errors.js';
import { decodeSamples, type PcmEncoding } from '../pcm-samples.js';
import { PACKET_BYTES_MAX } from './limits.js';
import type { PcmStream } from './pcm-stream.js';
import { clocked, onTimeline, Timeline } from './timeline.js';

const ENCODINGS: Readonly<Record<string, PcmEncoding>> = {
  'pcm-u8': 'u8',
  'pcm-s8': 's8',
  'pcm-s16': 's16le',
  'pcm-s16be': 's16be',
  'pcm-s24': 's24le',
  'pcm-s24be': 's24be',
  'pcm-s32': 's32le',
  'pcm-s32be': 's32be',
  'pcm-f32': 'f32le',
  'pcm-f32be': 'f32be',
  'pcm-f64': 'f64le',
  'pcm-f64be': 'f64be',
  ulaw: 'mulaw',
  alaw: 'alaw',
};

/** Chunks of plain samples are longer than packets of a codec, a second and more. */
const CHUNK_BYTES_MAX = 16 * PACKET_BYTES_MAX;

/** Plain samples in a MOV or MP4 file. Every other codec in these (AAC, ALAC): `decoder_missing`. */
export async function openQuickTimePcm(path: string): Promise<PcmStream> {
  const input = new Input({ source: new FilePathSource(path), formats: [MP4, QTFF] });
  const audio = await input.getAudioTracks();
  const chosen = Math.max(
    0,
    audio.findIndex(({ disposition }) => disposition.default),
  );
  const track = audio[chosen];
  if (track === undefined) {
    const tracks = await input.getTracks();
    if (tracks.length > 0) {
      throw new AudioError('no_audio_track', 'This file has no audio track; choose one that has sound.');
    }
    throw new AudioError(
      'file_damaged',
      'The index of this recording is missing (it was cut off before it was finished); repair or re-export it.',
    );
  }
  const encoding = ENCODINGS[track.codec ?? ''];
  if (encoding === undefined) throw needsFfmpeg();
  const sink = new EncodedPacketSink(track);
  const { sampleRate: sampleRateHz, numberOfChannels: channels } = track;
  const startS = await input.getFirstTimestamp();
  let clockMs: number | undefined;
  const stream: PcmStream = {
    sampleRateHz,
    channels,
    durationMs: Math.round((await track.computeDuration()) * 1000),
    tracks: { count: audio.length, chosen },
    isDamaged: () => false,
    blocks: (async function* () {
      const sizesOnly = { metadataOnly: true };
      for (
        let at = await sink.getFirstPacket(sizesOnly);
        at !== null;
        at = await sink.getNextPacket(at, sizesOnly)
      ) {
        // The size is the file's word: look at it before anything is read.
        if (at.byteLength > CHUNK_BYTES_MAX) throw needsFfmpeg();
        const packet = await sink.getPacket(at.timestamp);
        if (packet === null) break;
        const samples = decodeSamples(packet.data, encoding);
        clockMs = (at.timestamp - startS) * 1000;
        yield samples.slice(0, samples.length - (samples.length % channels));
      }
      input.dispose();
    })(),
  };
  return onTimeline(
    stream,
    clocked(stream.blocks, () => clockMs),
    new Timeline(0),
  );
}

function needsFfmpeg(): AudioError {
  return new AudioError(
    'decoder_missing',
    'AAC, ALAC and other codecs in MP4 or MOV need ffmpeg; install ffmpeg and try again.',
  );
}
