/** Reads a stream of pieces as one run of bytes. Holds what was asked for with `fill`, and one piece. */
export class ByteCursor {
  readonly #pieces: AsyncIterator<Uint8Array>;
  /** `#held` is a part of it, and behind that part is room for more. */
  #room: Uint8Array = new Uint8Array(0);
  #held: Uint8Array = this.#room;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The bytes that are here; a view that is valid until the next call. */
  get held(): Uint8Array {
    return this.#held;
  }

  /** Waits until `count` bytes are held; false where the stream ends before. */
  async fill(count: number): Promise<boolean> {
    while (this.#held.length < count) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      this.#append(value);
    }
    return true;
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
      this.drop(this.#held.length);
      if (!(await this.fill(1))) return false;
    }
    this.drop(left);
    return true;
  }

  /** Room is made for twice what is held, so that a byte is moved a few times at most, however small the pieces are. */
  #append(piece: Uint8Array): void {
    const heldBytes = this.#held.length;
    let from = this.#held.byteOffset - this.#room.byteOffset;
    if (from + heldBytes + piece.length > this.#room.length) {
      this.#room = new Uint8Array(2 * heldBytes + piece.length);
      this.#room.set(this.#held);
      from = 0;
    }
    this.#room.set(piece, from + heldBytes);
    this.#held = this.#room.subarray(from, from + heldBytes + piece.length);
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
