import { FRAME_LIMITS } from './limits.js';

const LINE_END = '\r\n';

/**
 * Collects the body of a refused handshake, by its length, in chunks, or until the line ends. Keeps at most
 * `bytesMax`; what is wrong with its form cuts it there, since the status has said what matters.
 */
export class RefusalBody {
  readonly #bytesMax: number;
  readonly #isChunked: boolean;
  /** Of the body, or of the chunk in hand; undefined: until the line ends. */
  #missing: number | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #body: Buffer = Buffer.alloc(0);
  #isCut = false;
  #isDone = false;

  constructor(
    headers: Readonly<Record<string, string>>,
    bytesMax: number = FRAME_LIMITS.refusalBodyBytesMax,
  ) {
    this.#bytesMax = bytesMax;
    this.#isChunked = /chunked\s*$/i.test(headers['transfer-encoding'] ?? '');
    const length = headers['content-length'];
    if (this.#isChunked) this.#missing = 0;
    else if (length !== undefined) this.#missing = /^\d{1,15}$/.test(length) ? Number(length) : 0;
    this.#isDone = !this.#isChunked && this.#missing === 0;
  }

  /** Whether nothing more is wanted: the body is whole, or cut. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** What came so far, and whether something is missing of it. */
  take(): { readonly body: Uint8Array; readonly isCut: boolean } {
    const isShort = !this.#isDone && this.#missing !== undefined;
    return { body: this.#body, isCut: this.#isCut || isShort };
  }

  /** The next bytes behind the head, in any cut. */
  push(chunk: Uint8Array): void {
    if (this.#isDone) return;
    if (!this.#isChunked) {
      this.#missing = this.#keep(chunk, this.#missing);
      if (this.#missing === 0) this.#isDone = true;
      return;
    }
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (!this.#isDone && this.#readChunk());
  }

  /** One chunk size, or one piece of a chunk; false when more bytes are needed. */
  #readChunk(): boolean {
    if (this.#missing !== undefined && this.#missing > 0) {
      if (this.#pending.length === 0) return false;
      const before = this.#missing;
      this.#missing = this.#keep(this.#pending, before);
      this.#pending = this.#pending.subarray(before - (this.#missing ?? 0));
      return true;
    }
    // Behind a chunk stands an empty line, and then the next size.
    const start = this.#body.length > 0 && this.#pending.indexOf(LINE_END) === 0 ? LINE_END.length : 0;
    const end = this.#pending.indexOf(LINE_END, start);
    if (end === -1) {
      if (this.#pending.length > 64) this.#cut();
      return false;
    }
    const size = /^([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(this.#pending.toString('latin1', start, end))?.[1];
    if (size === undefined) {
      this.#cut();
      return false;
    }
    this.#pending = this.#pending.subarray(end + LINE_END.length);
    this.#missing = Number.parseInt(size, 16);
    if (this.#missing === 0) this.#isDone = true;
    return true;
  }

  /** @returns What is still missing of `wanted`. */
  #keep(bytes: Uint8Array, wanted: number | undefined): number | undefined {
    const taken = wanted === undefined ? bytes.length : Math.min(wanted, bytes.length);
    const room = this.#bytesMax - this.#body.length;
    if (taken > room) this.#cut();
    this.#body = Buffer.concat([this.#body, bytes.subarray(0, Math.min(taken, room))]);
    return wanted === undefined ? undefined : wanted - taken;
  }

  #cut(): void {
    this.#isCut = true;
    this.#isDone = true;
  }
}
