/** One array per channel, as the decoders give it, to one array with the samples taking turns. */
export function interleave(
  planes: readonly Float32Array[],
  from: number,
  to: number,
): Float32Array<ArrayBuffer> {
  const channels = planes.length;
  const out = new Float32Array(Math.max(0, to - from) * channels);
  for (const [channel, plane] of planes.entries()) {
    for (let index = from, at = channel; index < to; index += 1, at += channels) out[at] = plane[index] ?? 0;
  }
  return out;
}
