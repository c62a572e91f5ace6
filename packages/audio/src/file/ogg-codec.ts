import type { AudioFormat } from './format-table.js';

/** What the first packet of a stream in Ogg begins. */
export function oggCodecOf(packet: Uint8Array): AudioFormat {
  const mark = String.fromCharCode(...packet.subarray(0, 8));
  if (mark === 'OpusHead') return 'ogg-opus';
  if (mark.startsWith('\x01vorbis')) return 'ogg-vorbis';
  return mark.startsWith('\x7fFLAC') ? 'ogg-flac' : 'ogg-other';
}
