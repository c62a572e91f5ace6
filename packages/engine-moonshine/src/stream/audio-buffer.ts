/** The recent past of one stream's audio, addressed by sample number since the stream's start. */
export class AudioBuffer {
  #chunks: Float32Array[] = [];
  #start = 0;
  #end = 0;

  /** Number of the first sample still held. */
  get start(): number {
    return this.#start;
  }

  /** Number of the sample that comes next: how many were appended in all. */
  get end(): number {
    return this.#end;
  }

  /** Takes ownership of `samples`. */
  append(samples: Float32Array): void {
    if (samples.length === 0) return;
    this.#chunks.push(samples);
    this.#end += samples.length;
  }

  /** A copy of the samples from `from` up to `to`; what is no longer or not yet there is left out. */
  slice(from: number, to: number): Float32Array {
    const begin = Math.max(from, this.#start);
    const stop = Math.min(to, this.#end);
    const copy = new Float32Array(Math.max(0, stop - begin));
    let at = this.#start;
    for (const chunk of this.#chunks) {
      const first = Math.max(begin, at);
      const last = Math.min(stop, at + chunk.length);
      if (first < last) copy.set(chunk.subarray(first - at, last - at), first - begin);
      at += chunk.length;
    }
    return copy;
  }

  /** Forgets whole chunks that end at or before `sample`. */
  dropBefore(sample: number): void {
    let count = 0;
    for (const chunk of this.#chunks) {
      if (this.#start + chunk.length > sample) break;
      this.#start += chunk.length;
      count += 1;
    }
    if (count > 0) this.#chunks = this.#chunks.slice(count);
  }
}
