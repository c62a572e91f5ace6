import type { AudioFormat } from './format-table.js';
import { id3Bytes, sniff } from './sniff.js';
import { isPlayableWav } from './wav-source.js';

/** Formats that say what they are with their first frames, and whose readers want no more of the beginning. */
const PROGRESSIVE: ReadonlySet<AudioFormat> = new Set<AudioFormat>([
  ...(['mp3', 'aac', 'latm', 'ac3', 'flac', 'amr', 'mpeg-ts'] as const),
  ...(['ogg-opus', 'ogg-vorbis', 'ogg-flac', 'ogg-other', 'matroska'] as const),
]);

/** Does a beginning tell what it is the beginning of, and where its sound is? Then a live stream is decoded from there on. */
export function mayStart(probe: Uint8Array): boolean {
  const tagBytes = id3Bytes(probe);
  const bytes = probe.subarray(tagBytes);
  if (tagBytes > probe.length || bytes.length < 16) return false;
  if (isPlayableWav(bytes)) return true;
  const found = sniff(bytes, false);
  if (found.kind !== 'audio' || !PROGRESSIVE.has(found.format)) return false;
  if (found.format === 'matroska') return hasCluster(bytes);
  return found.format.startsWith('ogg-') ? hasPage(bytes) : true;
}

/** The track list stands before the first Cluster. */
function hasCluster(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0x1f); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] === 0x43 && bytes[at + 2] === 0xb6 && bytes[at + 3] === 0x75) return true;
  }
  return false;
}

/** The first page of Ogg, which says which codec it is. */
function hasPage(bytes: Uint8Array): boolean {
  const headBytes = 27 + (bytes[26] ?? 255);
  const bodyBytes = bytes.subarray(27, headBytes).reduce((sum, length) => sum + length, 0);
  return bytes.length >= headBytes + bodyBytes;
}
