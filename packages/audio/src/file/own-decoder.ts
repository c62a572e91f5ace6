import { decodeSamples } from '../pcm-samples.js';
import type { ByteSource } from './byte-source.js';
import { frameBytesOf, type PcmLayout } from './pcm-layout.js';
import type { PcmStream } from './pcm-stream.js';

/** Reads plain samples (PCM, floats, G.711) whose place in the file is known. */
export function openPcm(source: Pick<ByteSource, 'sizeBytes' | 'bytes'>, layout: PcmLayout): PcmStream {
  const frameBytes = frameBytesOf(layout);
  const present =
    source.sizeBytes === undefined ? undefined : Math.max(0, source.sizeBytes - layout.dataOffset);
  const wanted = layout.dataBytes;
  const bytes = wanted === undefined ? present : Math.min(wanted, present ?? wanted);
  let missingBytes = 0;

  async function* blocks(): AsyncGenerator<Float32Array, void> {
    let skipBytes = layout.dataOffset;
    let leftBytes = wanted ?? Number.POSITIVE_INFINITY;
    let carry: Uint8Array = new Uint8Array(0);
    for await (const piece of source.bytes()) {
      const data = piece.subarray(Math.min(skipBytes, piece.length)).subarray(0, leftBytes);
      skipBytes = Math.max(0, skipBytes - piece.length);
      leftBytes -= data.length;
      carry = carry.length === 0 ? data : Buffer.concat([carry, data]);
      const usable = carry.length - (carry.length % frameBytes);
      if (usable > 0) yield decodeSamples(carry.subarray(0, usable), layout.encoding);
      carry = carry.slice(usable);
      if (leftBytes === 0) break;
    }
    missingBytes = Number.isFinite(leftBytes) ? leftBytes : 0;
  }

  return {
    sampleRateHz: layout.sampleRateHz,
    channels: layout.channels,
    durationMs:
      bytes === undefined ? undefined : Math.round((bytes / frameBytes / layout.sampleRateHz) * 1000),
    blocks: blocks(),
    isDamaged: () => missingBytes > 0,
  };
}
