import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { AudioError } from '../errors.js';
import { ByteCursor } from './byte-cursor.js';
import { type FlacFrame, type FlacStreamInfo, flacStreamInfo, openFlac } from './flac-frames.js';
import { interleave } from './interleave.js';
import { openJoined } from './joined-streams.js';
import type { MatroskaAudio } from './matroska-packets.js';
import type { OggPacket } from './ogg-packets.js';
import type { PcmStream } from './pcm-stream.js';

/** Native FLAC, also several files in one. */
export function openNativeFlac(bytes: AsyncIterable<Uint8Array>): Promise<PcmStream> {
  const cursor = new ByteCursor(bytes);
  return openJoined(async () => {
    const stream = await openFlac(cursor);
    return stream === undefined ? undefined : await decodeFrames(stream.info, stream.frames);
  });
}

/** FLAC in Ogg, one stream: the first packet holds STREAMINFO behind 17 bytes, then metadata, then a frame a packet. */
export async function openOggFlac(packets: AsyncGenerator<OggPacket, void>): Promise<PcmStream> {
  const first = await packets.next();
  const info = first.done === true ? undefined : flacStreamInfo(first.value.bytes.subarray(17));
  return decodeFrames(
    info,
    (async function* () {
      for await (const packet of packets) {
        if (packet.bytes[0] === 0xff) yield { bytes: packet.bytes, gap: false };
      }
    })(),
  );
}

/** FLAC in Matroska: the track's private data is the head of a FLAC file. */
export function openMatroskaFlac(audio: MatroskaAudio): Promise<PcmStream> {
  const info = flacStreamInfo(audio.track.codecPrivate.subarray(8));
  return decodeFrames(
    info,
    (async function* () {
      for await (const packet of audio.packets) yield { bytes: packet.bytes, gap: false };
    })(),
  );
}

async function decodeFrames(
  info: FlacStreamInfo | undefined,
  frames: AsyncIterable<FlacFrame>,
): Promise<PcmStream> {
  if (info === undefined) {
    throw new AudioError(
      'file_damaged',
      'The FLAC header of this file is cut off or damaged; export the file again.',
    );
  }
  const decoder = new FLACDecoder();
  await decoder.ready;
  let isDamaged = false;
  return {
    sampleRateHz: info.sampleRateHz,
    channels: info.channels,
    durationMs:
      info.totalSamples === 0 ? undefined : Math.round((info.totalSamples / info.sampleRateHz) * 1000),
    isDamaged: () => isDamaged,
    blocks: (async function* () {
      let samples = 0;
      await decoder.decodeFrames([info.header]);
      for await (const frame of frames) {
        // One frame at a time: 65,535 samples of silence fit into a dozen bytes.
        const decoded = await decoder.decodeFrames([frame.bytes]);
        isDamaged ||= frame.gap || decoded.errors.length > 0;
        if (decoded.samplesDecoded === 0) continue;
        if (decoded.channelData.length !== info.channels) {
          isDamaged = true;
          break;
        }
        samples += decoded.samplesDecoded;
        yield interleave(decoded.channelData, 0, decoded.samplesDecoded);
      }
      isDamaged ||= samples < info.totalSamples;
      decoder.free();
    })(),
  };
}
