import { READ_BYTES_MAX } from '../limits.js';
import type { Wire } from './wire.js';

const SLAB_BYTES = 4 * READ_BYTES_MAX;

/** Up to here a loop is quicker than a view. */
const FEW_BYTES = 64;

/**
 * Memory for what is on its way out, shared by all sessions of a bridge.
 *
 * Bytes come into a buffer that the next read overwrites, so they are copied here and written from here in one go,
 * however many frames they are. Nearly always the system takes them at once, and then the same memory serves the next
 * write; what it does not take stays where it is, and new memory is taken behind it. Memory of its own for each write
 * costs up to 35 % more processor time for a message (docs/benchmarks.md).
 */
export class Slab {
  #memory: Buffer = Buffer.alloc(0);
  /** Below it are bytes that some socket has not sent yet. */
  #start = 0;
  #end = 0;

  /** How much was gathered since the last `flushTo` or `take`. */
  get gatheredBytes(): number {
    return this.#end - this.#start;
  }

  /** Gathers bytes of `source`, which is copied. */
  gather(source: Uint8Array, from = 0, to: number = source.length): void {
    const length = to - from;
    if (this.#end + length > this.#memory.length) this.#grow(length);
    if (length <= FEW_BYTES) {
      const memory = this.#memory;
      for (let i = from, at = this.#end; i < to; i += 1, at += 1) memory[at] = source[i] ?? 0;
    } else if (from === 0 && to === source.length) {
      this.#memory.set(source, this.#end);
    } else {
      this.#memory.set(source.subarray(from, to), this.#end);
    }
    this.#end += length;
  }

  /** Writes what was gathered. */
  flushTo(wire: Wire): void {
    if (this.#end === this.#start) return;
    wire.write(this.#memory.subarray(this.#start, this.#end));
    if (wire.unsentBytes > 0) this.#start = this.#end;
    else this.#end = this.#start;
  }

  /** Takes what was gathered into memory of its own. */
  take(): Buffer {
    const bytes = Buffer.from(this.#memory.subarray(this.#start, this.#end));
    this.#end = this.#start;
    return bytes;
  }

  #grow(length: number): void {
    const gathered = this.#memory.subarray(this.#start, this.#end);
    const memory = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, gathered.length + length));
    memory.set(gathered);
    this.#memory = memory;
    this.#start = 0;
    this.#end = gathered.length;
  }
}
