import { SageMakerError } from '../errors.js';
import { SAGEMAKER_LIMITS } from '../limits.js';
import {
  asBuffer,
  type EventStreamMessage,
  HeaderMemory,
  PRELUDE_BYTES,
  type Prelude,
  readMessage,
  readPrelude,
} from './message.js';

/**
 * Turns a byte stream, cut anywhere, into messages.
 *
 * Messages that lie whole in a chunk are views into it; only one that spans chunks is copied together, into memory that
 * grows with the bytes that came. After an error nothing more can be decoded: the length of what follows is unknown.
 */
export class EventStreamDecoder {
  readonly #frameBytesMax: number;
  readonly #memory = new HeaderMemory();
  #held = Buffer.alloc(0);
  #heldBytes = 0;
  #prelude: Prelude | undefined;

  /** `frameBytesMax`: a longer frame is refused with `frame_too_large`, by its prelude. */
  constructor(frameBytesMax: number = SAGEMAKER_LIMITS.frameBytesMax) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Whether the bytes so far end between two messages. */
  get isAtBoundary(): boolean {
    return this.#heldBytes === 0;
  }

  /**
   * Takes the next bytes (borrowed during the call) and calls `take` with each message that is complete now; its
   * payload is valid during that call.
   *
   * Throws `frame_too_large`, `prelude_checksum`, `message_checksum` or `frame_malformed`, or what `take` throws.
   */
  push(chunk: Uint8Array, take: (message: EventStreamMessage) => void): void {
    const bytes = asBuffer(chunk);
    let at = this.#heldBytes === 0 ? 0 : this.#complete(bytes, take);
    while (bytes.byteLength - at >= PRELUDE_BYTES) {
      const prelude = readPrelude(bytes, at, this.#frameBytesMax);
      if (bytes.byteLength - at < prelude.totalBytes) {
        this.#prelude = prelude;
        break;
      }
      take(readMessage(bytes, at, prelude, this.#memory));
      at += prelude.totalBytes;
    }
    if (at < bytes.byteLength) this.#hold(bytes.subarray(at));
  }

  /** To be called at the end of the stream. Throws `frame_truncated` inside a message. */
  end(): void {
    if (!this.isAtBoundary) throw new SageMakerError('frame_truncated');
  }

  /** Adds to the message in hand; answers how many bytes of the chunk belonged to it. */
  #complete(bytes: Buffer, take: (message: EventStreamMessage) => void): number {
    let used = 0;
    if (this.#prelude === undefined) {
      used = Math.min(PRELUDE_BYTES - this.#heldBytes, bytes.byteLength);
      this.#hold(bytes.subarray(0, used));
      if (this.#heldBytes < PRELUDE_BYTES) return used;
      this.#prelude = readPrelude(this.#held, 0, this.#frameBytesMax);
    }
    const prelude = this.#prelude;
    const more = Math.min(prelude.totalBytes - this.#heldBytes, bytes.byteLength - used);
    this.#hold(bytes.subarray(used, used + more));
    if (this.#heldBytes === prelude.totalBytes) {
      const message = readMessage(this.#held, 0, prelude, this.#memory);
      this.#heldBytes = 0;
      this.#prelude = undefined;
      // The message is a view into it.
      this.#held = Buffer.alloc(0);
      take(message);
    }
    return used + more;
  }

  #hold(bytes: Buffer): void {
    const wanted = this.#heldBytes + bytes.byteLength;
    if (wanted > this.#held.byteLength) {
      const capacity = Math.max(wanted, this.#held.byteLength * 2, SAGEMAKER_LIMITS.frameFirstBytes);
      const grown = Buffer.allocUnsafeSlow(
        Math.min(capacity, Math.max(wanted, this.#prelude?.totalBytes ?? SAGEMAKER_LIMITS.frameFirstBytes)),
      );
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = wanted;
  }
}
