import { FrameReader, type FrameReaderOptions } from './frame-reader.js';
import { applyMask } from './mask.js';
import type { Opcode } from './opcode.js';

/** One frame, not one message: fragments stay fragments. */
export interface WholeFrame {
  readonly isFinal: boolean;
  readonly opcode: Opcode;
  /** For a continuation: kind of the message's first frame. Else the same as `opcode`. */
  readonly messageOpcode: Opcode;
  /** Unmasked. The caller's, but may be a view of the bytes that were pushed. */
  readonly payload: Uint8Array;
}

/**
 * Reads whole frames, for who needs payloads. Holds at most one frame's bytes, and only those that have come, whatever
 * length a header declares. Errors and bounds: as `FrameReader`.
 */
export class FrameCollector {
  readonly #reader: FrameReader;
  #parts: Uint8Array[] = [];

  constructor(options: FrameReaderOptions) {
    this.#reader = new FrameReader(options);
  }

  /** Whether the bytes so far end between two messages. */
  get isBetweenMessages(): boolean {
    return this.#reader.isBetweenMessages;
  }

  /** The next bytes; masked payloads are unmasked in place. Call `next` until it gives nothing before pushing more. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** The next frame, control frames included; undefined when more bytes are needed. */
  next(): WholeFrame | undefined {
    const reader = this.#reader;
    for (let step = reader.next(); step !== 'starved'; step = reader.next()) {
      if (step === 'control') {
        const { opcode } = reader.frame;
        return { isFinal: true, opcode, messageOpcode: opcode, payload: reader.controlPayload };
      }
      if (step === 'payload') {
        const piece = reader.chunk.subarray(reader.start, reader.end);
        applyMask(piece, reader.frame.maskKey, reader.payloadAt);
        this.#parts.push(piece);
        if (reader.isFrameEnd) return this.#whole();
      }
    }
    return undefined;
  }

  #whole(): WholeFrame {
    const { isFinal, opcode, payloadBytes } = this.#reader.frame;
    const [only] = this.#parts;
    const payload = this.#parts.length === 1 && only !== undefined ? only : joined(this.#parts, payloadBytes);
    this.#parts = [];
    return { isFinal, opcode, messageOpcode: this.#reader.messageOpcode, payload };
  }
}

function joined(parts: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const whole = new Uint8Array(totalBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
