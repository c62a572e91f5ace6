/** Complex Fourier transform of one length, a power of two, in place. */
export class Spectrum {
  readonly length: number;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;
  readonly #reversed: Uint32Array;

  constructor(length: number) {
    this.length = length;
    this.#cosines = Float64Array.from({ length: length / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / length));
    this.#sines = Float64Array.from({ length: length / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / length));
    this.#reversed = new Uint32Array(length);
    for (let at = 1; at < length; at += 1) {
      const half = this.#reversed[at >> 1] ?? 0;
      this.#reversed[at] = (half >> 1) + (at % 2 === 1 ? length / 2 : 0);
    }
  }

  /** `real` and `imaginary` have `length` members each. */
  transform(real: Float64Array, imaginary: Float64Array): void {
    this.#reorder(real, imaginary);
    for (let size = 2; size <= this.length; size *= 2) this.#combine(real, imaginary, size);
  }

  #reorder(real: Float64Array, imaginary: Float64Array): void {
    for (let at = 0; at < this.length; at += 1) {
      const other = this.#reversed[at] ?? 0;
      if (other <= at) continue;
      swap(real, at, other);
      swap(imaginary, at, other);
    }
  }

  /** Pairs of half the size become one of that size. */
  #combine(real: Float64Array, imaginary: Float64Array, size: number): void {
    const half = size / 2;
    const step = this.length / size;
    for (let offset = 0; offset < half; offset += 1) {
      // Casts: every index lies inside by construction, and a test for `undefined` would cost a third of the time.
      const cosine = this.#cosines[offset * step] as number;
      const sine = this.#sines[offset * step] as number;
      for (let low = offset; low < this.length; low += size) {
        const high = low + half;
        const a = real[high] as number;
        const b = imaginary[high] as number;
        const re = a * cosine + b * sine;
        const im = b * cosine - a * sine;
        real[high] = (real[low] as number) - re;
        imaginary[high] = (imaginary[low] as number) - im;
        real[low] = (real[low] as number) + re;
        imaginary[low] = (imaginary[low] as number) + im;
      }
    }
  }
}

function swap(values: Float64Array, a: number, b: number): void {
  const kept = values[a] ?? 0;
  values[a] = values[b] ?? 0;
  values[b] = kept;
}
