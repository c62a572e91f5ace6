import { isUtf8 } from 'node:buffer';
import type { Message } from '@kikitori/transport';
import { SageMakerError } from '../errors.js';
import { asBuffer } from '../event-stream/message.js';
import type { PartHeaders } from '../event-stream/payload-part.js';
import { SAGEMAKER_LIMITS } from '../limits.js';

/** Puts the parts of an answer together to whole messages. */
export class PartAssembler {
  readonly #messageBytesMax: number;
  #held = Buffer.alloc(0);
  #heldBytes = 0;
  #isOpen = false;
  #isText = false;

  constructor(messageBytesMax: number = SAGEMAKER_LIMITS.messageBytesMax) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** Whether the last part was the last of its message. */
  get isAtBoundary(): boolean {
    return !this.#isOpen;
  }

  /**
   * Takes a part (borrowed during the call); answers the message that is whole now, if one is. As with WebSocket
   * fragments the first part says what the message is; without a `DataType` it is bytes.
   *
   * Throws `message_too_large` or `text_not_utf8`.
   */
  take({ dataType, completionState }: PartHeaders, payload: Uint8Array): Message | undefined {
    if (this.#heldBytes + payload.byteLength > this.#messageBytesMax) {
      throw new SageMakerError('message_too_large');
    }
    const isLast = completionState !== 'PARTIAL';
    if (!this.#isOpen) {
      this.#isText = dataType === 'UTF8';
      if (isLast) return wholeMessage(asBuffer(payload), this.#isText);
      this.#isOpen = true;
    }
    this.#hold(payload);
    if (!isLast) return undefined;
    const message = wholeMessage(this.#held.subarray(0, this.#heldBytes), this.#isText);
    this.#held = Buffer.alloc(0);
    this.#heldBytes = 0;
    this.#isOpen = false;
    return message;
  }

  #hold(payload: Uint8Array): void {
    const wanted = this.#heldBytes + payload.byteLength;
    if (wanted > this.#held.byteLength) {
      const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.#held.byteLength * 2));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(payload, this.#heldBytes);
    this.#heldBytes = wanted;
  }
}

function wholeMessage(bytes: Buffer, isText: boolean): Message {
  // Copied: bytes belong to the reader, and these lie in a chunk with others.
  if (!isText) return new Uint8Array(bytes);
  if (!isUtf8(bytes)) throw new SageMakerError('text_not_utf8');
  return bytes.toString('utf8');
}
