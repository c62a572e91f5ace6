import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { AudioError } from '../errors.js';
import { type FlacStreamInfo, flacStreamInfo, openFlac } from './flac-frames.js';
import { interleave, type LibraryStream } from './library-stream.js';
import type { MatroskaAudio } from './matroska-packets.js';
import type { OggPacket } from './ogg-packets.js';

/** One frame, and whether something before it was lost. */
interface Frame {
  readonly bytes: Uint8Array;
  readonly gap: boolean;
}

/** Native FLAC. */
export async function openNativeFlac(pieces: AsyncIterable<Uint8Array>): Promise<LibraryStream> {
  const { info, frames } = await openFlac(pieces);
  return decodeFrames(info, frames);
}

/** FLAC in Ogg: the first packet holds STREAMINFO behind 17 bytes, then metadata, then a frame a packet. */
export async function openOggFlac(packets: AsyncGenerator<OggPacket, void>): Promise<LibraryStream> {
  const first = await packets.next();
  const info = first.done === true ? undefined : flacStreamInfo(first.value.bytes.subarray(17));
  return decodeFrames(
    info,
    (async function* () {
      for await (const packet of packets) {
        if (packet.startsStream) return;
        if (packet.bytes[0] === 0xff) yield { bytes: packet.bytes, gap: packet.followsGap };
      }
    })(),
  );
}

/** FLAC in Matroska: the track's private data is the head of a FLAC file. */
export function openMatroskaFlac(audio: MatroskaAudio): Promise<LibraryStream> {
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
  frames: AsyncIterable<Frame>,
): Promise<LibraryStream> {
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
