/** Reads a stream of pieces as one run of bytes. Holds what was asked for with `fill`, and one piece. */
export class ByteCursor {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The bytes that are here; a view that is valid until the next call. */
  get held(): Uint8Array {
    return this.#held;
  }

  /** Waits until `count` bytes are held; false where the stream ends before. */
  async fill(count: number): Promise<boolean> {
    if (this.#held.length >= count) return true;
    const parts = [this.#held];
    let length = this.#held.length;
    let isEnded = false;
    while (length < count && !isEnded) {
      const { done, value } = await this.#pieces.next();
      isEnded = done === true;
      if (done === true) continue;
      parts.push(value);
      length += value.length;
    }
    this.#held = joined(parts, length);
    return length >= count;
  }

  /** Takes `count` held bytes away; a copy that is the caller's. */
  take(count: number): Uint8Array {
    const taken = this.#held.slice(0, count);
    this.drop(count);
    return taken;
  }

  /** Forgets `count` held bytes. */
  drop(count: number): void {
    this.#held = this.#held.subarray(count);
  }

  /** Passes over `count` bytes that need not be held; false where the stream ends before. */
  async skip(count: number): Promise<boolean> {
    let left = count;
    while (left > this.#held.length) {
      left -= this.#held.length;
      this.#held = new Uint8Array(0);
      if (!(await this.fill(1))) return false;
    }
    this.drop(left);
    return true;
  }
}

/** One array out of several. */
export function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
