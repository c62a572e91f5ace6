import type { Random } from './random.js';

/** Cuts one write: how long its next piece may be, of which so many bytes have passed. */
export type Cut = (passedBytes: number) => number;

/** The head of a frame and what follows it: 14 bytes are the longest head. */
const HEAD_BYTES = 32;
/** What an Ethernet carries at once. */
const SEGMENT_BYTES = 1_400;
/** Pieces so small that a minute of audio would be a million of them. */
const SMALL_BYTES_MAX = 16;
/** One write of so many comes in small pieces from end to end; of the others only the head does. */
const THROUGHOUT = 16;

/** Decides for each write how it comes; 0: as it was written. */
export function piecesOf(pieceBytesMax: number, random: Random): () => Cut {
  if (pieceBytesMax === 0) return () => () => Number.POSITIVE_INFINITY;
  const isSmall = pieceBytesMax <= SMALL_BYTES_MAX;
  return () => {
    const smallUntil = !isSmall || random.chance(1 / THROUGHOUT) ? Number.POSITIVE_INFINITY : HEAD_BYTES;
    return (passedBytes) => random.between(1, passedBytes < smallUntil ? pieceBytesMax : SEGMENT_BYTES);
  };
}
