import { RING_PAGE_BYTES } from '../limits.js';

/** PCM16 little-endian at 16 kHz, mono: what a millisecond takes. */
export const BYTES_PER_MS = 32;

/**
 * The last audio of a session, addressed by its position from the first sample on (bytes, even). Bounded: what is
 * pushed into a full ring takes the place of the oldest. It lies in pages of its own, so that it takes the same memory
 * whether it comes in blocks of a second or sample by sample.
 */
export class AudioRing {
  readonly bytesMax: number;
  /** One behind the other; the first begins at `#base`, at or in front of `#start`. */
  readonly #pages: Uint8Array[] = [];
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

  /** Memory taken: at most `bytesMax` and two pages. */
  get heldBytes(): number {
    return this.#pages.length * RING_PAGE_BYTES;
  }

  /** Keeps a copy of the audio. */
  push(audio: Uint8Array): void {
    for (let at = 0; at < audio.length; ) {
      const offset = (this.#end - this.#base) % RING_PAGE_BYTES;
      if (this.#end - this.#base === this.heldBytes) this.#pages.push(new Uint8Array(RING_PAGE_BYTES));
      const part = audio.subarray(at, at + RING_PAGE_BYTES - offset);
      this.#pages.at(-1)?.set(part, offset);
      at += part.length;
      this.#end += part.length;
      this.trim(this.#end - this.bytesMax);
    }
  }

  /** A copy of what lies between two positions; both must be in the ring. */
  slice(start: number, end: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(end - start);
    for (let at = start; at < end; ) {
      const offset = (at - this.#base) % RING_PAGE_BYTES;
      const page = this.#pages[(at - this.#base - offset) / RING_PAGE_BYTES];
      const part = page?.subarray(offset, offset + end - at);
      if (part === undefined) break;
      copy.set(part, at - start);
      at += part.length;
    }
    return copy;
  }

  /** Lets go of everything in front of a position. */
  trim(start: number): void {
    this.#start = Math.max(this.#start, Math.min(start, this.#end));
    while (this.#base + RING_PAGE_BYTES <= this.#start) {
      this.#base += RING_PAGE_BYTES;
      this.#pages.shift();
    }
  }
}
