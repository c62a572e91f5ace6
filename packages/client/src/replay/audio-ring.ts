/** PCM16 little-endian at 16 kHz, mono: what a millisecond takes. */
export const BYTES_PER_MS = 32;

/**
 * The last audio of a session, addressed by its position from the first sample on (bytes, even). Bounded: what is
 * pushed into a full ring takes the place of the oldest. It holds no more memory than it holds audio.
 */
export class AudioRing {
  readonly bytesMax: number;
  /** One behind the other; the first begins at `#base`, at or in front of `#start`. */
  readonly #blocks: Uint8Array[] = [];
  #base = 0;
  #start = 0;
  #end = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Position of the oldest byte that is still here. */
  get start(): number {
    return this.#start;
  }

  /** Position behind the newest: everything that was ever pushed. */
  get end(): number {
    return this.#end;
  }

  /** Keeps the audio; the ring owns it from here on. */
  push(audio: Uint8Array): void {
    this.#blocks.push(audio);
    this.#end += audio.length;
    this.trim(this.#end - this.bytesMax);
  }

  /** A copy of what lies between two positions; both must be in the ring. */
  slice(start: number, end: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(end - start);
    let at = this.#base;
    for (const block of this.#blocks) {
      const part = block.subarray(Math.max(0, start - at), Math.max(0, end - at));
      if (part.length > 0) copy.set(part, Math.max(0, at - start));
      at += block.length;
    }
    return copy;
  }

  /** Lets go of everything in front of a position. */
  trim(start: number): void {
    this.#start = Math.max(this.#start, Math.min(start, this.#end));
    for (let [first] = this.#blocks; first !== undefined; [first] = this.#blocks) {
      if (this.#base + first.length > this.#start) return;
      this.#base += first.length;
      this.#blocks.shift();
    }
  }
}
