/** A second at 16 kHz. */
const BLOCK_SAMPLES = 16_000;

/** The recent past of one stream's audio, addressed by sample number since the stream's start. */
export class AudioBuffer {
  #blocks: Float32Array[] = [];
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

  /** Copies `samples` in: however small the pieces are, they lie in blocks. */
  append(samples: Float32Array): void {
    for (let at = 0; at < samples.length; ) {
      const room = this.#blocks.length * BLOCK_SAMPLES - (this.#end - this.#start);
      if (room === 0) this.#blocks.push(new Float32Array(BLOCK_SAMPLES));
      const block = this.#blocks.at(-1);
      const from = (this.#end - this.#start) % BLOCK_SAMPLES;
      const piece = samples.subarray(at, at + BLOCK_SAMPLES - from);
      block?.set(piece, from);
      at += piece.length;
      this.#end += piece.length;
    }
  }

  /** A copy of the samples from `from` up to `to`; what is no longer or not yet there is left out. */
  slice(from: number, to: number): Float32Array {
    const begin = Math.max(from, this.#start);
    const stop = Math.min(to, this.#end);
    const copy = new Float32Array(Math.max(0, stop - begin));
    let at = this.#start;
    for (const block of this.#blocks) {
      const first = Math.max(begin, at);
      const last = Math.min(stop, at + block.length);
      if (first < last) copy.set(block.subarray(first - at, last - at), first - begin);
      at += block.length;
    }
    return copy;
  }

  /** Forgets whole blocks that end at or before `sample`. */
  dropBefore(sample: number): void {
    let count = 0;
    for (const block of this.#blocks) {
      if (this.#start + block.length > Math.min(sample, this.#end)) break;
      this.#start += block.length;
      count += 1;
    }
    if (count > 0) this.#blocks = this.#blocks.slice(count);
  }
}
