import { decodeSamples, type PcmEncoding } from '../pcm-samples.js';
import type { MatroskaAudio } from './matroska-packets.js';
import type { PcmStream } from './pcm-stream.js';

const ENCODINGS: Readonly<Record<string, Readonly<Record<number, PcmEncoding>>>> = {
  'A_PCM/INT/LIT': { 8: 'u8', 16: 's16le', 24: 's24le', 32: 's32le' },
  'A_PCM/INT/BIG': { 8: 'u8', 16: 's16be', 24: 's24be', 32: 's32be' },
  'A_PCM/FLOAT/IEEE': { 32: 'f32le', 64: 'f64le' },
};

/** Plain samples in WebM or Matroska; undefined for any other codec. */
export function openMatroskaPcm(audio: MatroskaAudio): PcmStream | undefined {
  const { bitDepth, codecId, sampleRateHz, channels } = audio.track;
  const encoding = ENCODINGS[codecId]?.[bitDepth];
  if (encoding === undefined) return undefined;
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
