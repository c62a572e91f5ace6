/** Measuring with sines: for tests and nothing else. */

/** A full-scale sine. */
export function sine(hz: number, rateHz: number, lengthSamples: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: lengthSamples }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rateHz));
}

/** Level of the samples from `edge` on to `edge` before the end, in dB against a full-scale sine. */
export function levelDb(samples: Float32Array, edge: number): number {
  const inner = samples.subarray(edge, samples.length - edge);
  return 10 * Math.log10((2 * inner.reduce((sum, sample) => sum + sample * sample, 0)) / inner.length);
}

/** The sine of that frequency inside of the samples (least squares), and what is left without it. */
export function fitSine(samples: Float32Array, hz: number, rateHz: number, edge: number) {
  const at = (i: number) => (2 * Math.PI * hz * i) / rateHz;
  let [ss, cc, sc, ys, yc] = [0, 0, 0, 0, 0];
  for (let i = edge; i < samples.length - edge; i++) {
    const [s, c, y] = [Math.sin(at(i)), Math.cos(at(i)), samples[i] ?? 0];
    ss += s * s;
    cc += c * c;
    sc += s * c;
    ys += y * s;
    yc += y * c;
  }
  const determinant = ss * cc - sc * sc;
  const inPhase = (ys * cc - yc * sc) / determinant;
  const quadrature = (yc * ss - ys * sc) / determinant;
  const rest = samples.map((y, i) => y - inPhase * Math.sin(at(i)) - quadrature * Math.cos(at(i)));
  return {
    gainDb: 20 * Math.log10(Math.hypot(inPhase, quadrature)),
    delaySeconds: -Math.atan2(quadrature, inPhase) / (2 * Math.PI * hz),
    restDb: levelDb(rest, edge),
  };
}
