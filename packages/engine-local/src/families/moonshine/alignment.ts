/**
 * Which heads of the decoder's cross-attention tell when a token ended. A few heads look at the end of the token
 * that was just read; the median of three of them, each corrected by its usual deviation, is within about 30 ms
 * (median; 60–80 ms at the 90th percentile) of the true end on synthetic speech whose phone times are known.
 */

/** One such head. */
export interface AlignmentHead {
  readonly layer: number;
  readonly head: number;
  /** How far behind the end of the token this head usually looks. */
  readonly biasMs: number;
}

/** Measured on the published English models, which differ by their number of decoder layers. */
const TINY: readonly AlignmentHead[] = [
  { layer: 4, head: 0, biasMs: -15 },
  { layer: 4, head: 6, biasMs: 38 },
  { layer: 3, head: 1, biasMs: -6 },
];
const BASE: readonly AlignmentHead[] = [
  { layer: 5, head: 6, biasMs: 36 },
  { layer: 5, head: 5, biasMs: 82 },
  { layer: 3, head: 5, biasMs: -10 },
];

/**
 * The heads for a decoder of so many layers. Exports of the same size in other languages were tuned from these and
 * keep their heads; for an unknown size every head of the layer at two thirds votes.
 */
export function alignmentHeads(layers: number, headsPerLayer: number): readonly AlignmentHead[] {
  if (layers === 6) return TINY;
  if (layers === 8) return BASE;
  const layer = Math.min(layers - 1, Math.round((layers * 2) / 3));
  return Array.from({ length: headsPerLayer }, (_, head) => ({ layer, head, biasMs: 0 }));
}
