import { TransportError } from '../errors.js';
import { decodeClosePayload } from './close-payload.js';
import { FRAME_HEADER_BYTES_MAX, type FrameHeader } from './frame-header.js';
import { FRAME_LIMITS } from './limits.js';
import { applyMask } from './mask.js';
import { isControl, OPCODE, type Opcode } from './opcode.js';

/** What `FrameReader.next` came upon. */
export type FrameStep =
  /** The bytes are used up: `push` more. */
  | 'starved'
  /** A data frame begins: see `frame`, `headerStart`. At least one `payload` follows. */
  | 'header'
  /** A piece of the data frame's payload: `chunk` from `start` to `end`, still masked; the last has `isFrameEnd`. */
  | 'payload'
  /** A whole control frame: see `frame` and `controlPayload`. */
  | 'control';

/** How to read. */
export interface FrameReaderOptions {
  /** Who reads: a server takes masked frames only, a client unmasked ones only. */
  readonly role: 'server' | 'client';
  /** Largest message, all its fragments together. */
  readonly messageBytesMax?: number;
}

// Written by the reader for each frame; callers see it as `FrameHeader`.
interface CurrentFrame extends FrameHeader {
  isFinal: boolean;
  opcode: Opcode;
  isMasked: boolean;
  maskKey: number;
  payloadBytes: number;
}

const NOTHING = new Uint8Array(0);

/**
 * Cuts a stream of bytes into frames, wherever it was cut before, and looks at nothing but headers: payloads of data
 * frames are neither copied nor unmasked nor decoded, they are named by their place in the caller's bytes. Control
 * frames, which are short, come whole and unmasked.
 *
 * ```ts
 * reader.push(chunk);
 * for (let step = reader.next(); step !== 'starved'; step = reader.next()) …
 * ```
 *
 * `next` throws `TransportError` and goes on throwing it: `protocol_error` (1002) for reserved bits, unknown opcodes,
 * lengths that are not the shortest, control frames in fragments or above 125 bytes, a missing or surplus mask, a
 * fragment without a beginning, a message inside a message, a close code that may not be sent; `message_too_big` (1009)
 * from the header alone; `invalid_utf8` (1007) for a close reason. Whether text is UTF-8 is the reader's own affair.
 * After a close frame everything is dropped (RFC 6455 section 1.4).
 *
 * Whose is what: `chunk` is the caller's and is not kept once it is used up; `frame` is one object, valid until the next
 * header; `controlPayload` is new memory and the caller's.
 */
export class FrameReader {
  /** The frame in hand. */
  get frame(): FrameHeader {
    return this.#frame;
  }
  /** Kind of the message that the data frame in hand belongs to: for a continuation, that of its first frame. */
  messageOpcode: Opcode = OPCODE.text;
  /** What was pushed last. */
  chunk: Uint8Array = NOTHING;
  /**
   * With `header`: where in `chunk` the header begins, or −1 when its first bytes came with an earlier chunk; then
   * `encodeFrameHeader(frame)` gives the same bytes again, since only shortest lengths are let through.
   */
  headerStart = 0;
  /** With `header`: where in `chunk` the payload begins. With `payload`: where the piece begins. */
  start = 0;
  /** With `payload`: where the piece ends. */
  end = 0;
  /** With `payload`: where in the payload the piece begins; `applyMask` wants it. */
  payloadAt = 0;
  /** With `payload`: nothing of the frame is missing. */
  isFrameEnd = false;
  /** With `control`: unmasked, at most 125 bytes. */
  controlPayload: Uint8Array = NOTHING;

  readonly #expectsMask: boolean;
  readonly #messageBytesMax: number;
  readonly #frame: CurrentFrame = {
    isFinal: true,
    opcode: OPCODE.text,
    isMasked: false,
    maskKey: 0,
    payloadBytes: 0,
  };
  #chunkBytes = 0;
  #at = 0;
  #state: 'header' | 'payload' | 'control' | 'closed' = 'header';
  /** Bytes of a header that was cut, made when first needed. */
  #cut: Uint8Array | undefined;
  #cutBytes = 0;
  /** Of the frame in hand. */
  #doneBytes = 0;
  #isInMessage = false;
  /** Of the message in hand. */
  #messageBytes = 0;
  #failure: TransportError | undefined;

  constructor(options: FrameReaderOptions) {
    this.#expectsMask = options.role === 'server';
    this.#messageBytesMax = options.messageBytesMax ?? FRAME_LIMITS.messageBytesMax;
  }

  /** Whether the bytes so far end between two frames, and between two messages. */
  get isBetweenMessages(): boolean {
    return this.#state === 'header' && this.#cutBytes === 0 && !this.#isInMessage;
  }

  /**
   * The next bytes: the whole chunk, or its first `length` bytes, for who reads into one buffer again and again. The
   * ones before must be used up: `invalid_argument` otherwise.
   */
  push(chunk: Uint8Array, length: number = chunk.length): void {
    const isOpen = this.#failure === undefined && this.#state !== 'closed';
    if (isOpen && this.#at < this.#chunkBytes) {
      throw new TransportError(
        'invalid_argument',
        'Read on until the reader is starved before pushing more.',
      );
    }
    this.chunk = chunk;
    this.#chunkBytes = length;
    this.#at = 0;
  }

  /** Goes on by one step. */
  next(): FrameStep {
    if (this.#failure !== undefined) throw this.#failure;
    switch (this.#state) {
      case 'header':
        return this.#readHeader();
      case 'payload':
        return this.#readPayload();
      case 'control':
        return this.#readControl();
      case 'closed':
        return this.#starve();
    }
  }

  #starve(): FrameStep {
    // Not kept: chunks are as large as a socket reads, and sessions are idle most of the time.
    this.chunk = NOTHING;
    this.#chunkBytes = 0;
    this.#at = 0;
    return 'starved';
  }

  #readHeader(): FrameStep {
    const { chunk } = this;
    const at = this.#at;
    const available = this.#chunkBytes - at;
    if (this.#cutBytes === 0 && available >= 2) {
      const length = headerLength(chunk[at + 1] ?? 0);
      if (available >= length) {
        this.headerStart = at;
        this.#at = at + length;
        return this.#begin(chunk, at);
      }
    }
    return this.#readCutHeader();
  }

  #readCutHeader(): FrameStep {
    this.#cut ??= new Uint8Array(FRAME_HEADER_BYTES_MAX);
    const cut = this.#cut;
    while (this.#at < this.#chunkBytes) {
      cut[this.#cutBytes] = this.chunk[this.#at] ?? 0;
      this.#cutBytes += 1;
      this.#at += 1;
      // What is wrong already is said already: the rest may never come.
      if (this.#cutBytes === 2) this.#checkStart(cut[0] ?? 0, cut[1] ?? 0);
      if (this.#cutBytes >= 2 && this.#cutBytes === headerLength(cut[1] ?? 0)) {
        this.#cutBytes = 0;
        this.headerStart = -1;
        return this.#begin(cut, 0);
      }
    }
    return this.#starve();
  }

  /** All of the header is there. */
  #begin(bytes: Uint8Array, at: number): FrameStep {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    this.#checkStart(first, second);
    const frame = this.#frame;
    frame.isFinal = (first & 0x80) !== 0;
    // `checkStart` let no other through.
    frame.opcode = (first & 0x0f) as Opcode;
    frame.isMasked = (second & 0x80) !== 0;
    frame.payloadBytes = this.#readLength(bytes, at, second & 0x7f);
    const keyAt = at + headerLength(second) - 4;
    frame.maskKey = frame.isMasked ? readWord(bytes, keyAt) : 0;
    this.#doneBytes = 0;
    this.start = this.#at;
    if (isControl(frame.opcode)) {
      this.#state = 'control';
      this.controlPayload = frame.payloadBytes === 0 ? NOTHING : new Uint8Array(frame.payloadBytes);
      return this.#readControl();
    }
    this.#enterMessage(frame);
    this.#state = 'payload';
    return 'header';
  }

  /** What can be told from two bytes. */
  #checkStart(first: number, second: number): void {
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) this.#fail('A frame has a reserved bit set; no extension was agreed on.');
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) {
      this.#fail('A frame is of a kind that does not exist.');
    }
    if (isControl(opcode)) {
      if ((first & 0x80) === 0) this.#fail('A control frame is in fragments.');
      if ((second & 0x7f) > FRAME_LIMITS.controlBytesMax) this.#fail('A control frame is above 125 bytes.');
    } else if (this.#isInMessage !== (opcode === OPCODE.continuation)) {
      this.#fail(this.#isInMessage ? 'A message begins inside a message.' : 'A fragment has no beginning.');
    }
    if (((second & 0x80) !== 0) !== this.#expectsMask) {
      this.#fail(this.#expectsMask ? 'A client’s frame is not masked.' : 'A server’s frame is masked.');
    }
  }

  #readLength(bytes: Uint8Array, at: number, short: number): number {
    if (short < 126) return short;
    if (short === 126) {
      const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      if (length < 126) this.#fail('A frame’s length is not in its shortest form.');
      return length;
    }
    const high = readWord(bytes, at + 2) >>> 0;
    const low = readWord(bytes, at + 6) >>> 0;
    if (high > 0x7fffffff) this.#fail('A frame’s length has its highest bit set.');
    if (high === 0 && low <= 0xffff) this.#fail('A frame’s length is not in its shortest form.');
    return high * 2 ** 32 + low;
  }

  #enterMessage({ opcode, payloadBytes, isFinal }: CurrentFrame): void {
    if (opcode !== OPCODE.continuation) {
      this.messageOpcode = opcode;
      this.#messageBytes = 0;
    }
    this.#messageBytes += payloadBytes;
    if (this.#messageBytes > this.#messageBytesMax) {
      throw this.#remember(new TransportError('message_too_big', 'A message is above the size limit.'));
    }
    this.#isInMessage = !isFinal;
  }

  #readPayload(): FrameStep {
    const missing = this.#frame.payloadBytes - this.#doneBytes;
    const available = this.#chunkBytes - this.#at;
    if (available === 0 && missing > 0) return this.#starve();
    const taken = Math.min(missing, available);
    this.start = this.#at;
    this.end = this.#at + taken;
    this.payloadAt = this.#doneBytes;
    this.#at = this.end;
    this.#doneBytes += taken;
    this.isFrameEnd = taken === missing;
    if (this.isFrameEnd) this.#state = 'header';
    return 'payload';
  }

  #readControl(): FrameStep {
    const frame = this.#frame;
    const end = Math.min(this.#chunkBytes, this.#at + frame.payloadBytes - this.#doneBytes);
    for (; this.#at < end; this.#at += 1) {
      this.controlPayload[this.#doneBytes] = this.chunk[this.#at] ?? 0;
      this.#doneBytes += 1;
    }
    if (this.#doneBytes < frame.payloadBytes) return this.#starve();
    applyMask(this.controlPayload, frame.maskKey);
    this.#state = 'header';
    if (frame.opcode === OPCODE.close) {
      this.#checkClose();
      this.#state = 'closed';
    }
    return 'control';
  }

  #checkClose(): void {
    try {
      decodeClosePayload(this.controlPayload);
    } catch (error) {
      // `decodeClosePayload` throws nothing else.
      throw this.#remember(error as TransportError);
    }
  }

  #fail(message: string): never {
    throw this.#remember(new TransportError('protocol_error', message));
  }

  #remember(failure: TransportError): TransportError {
    this.#failure = failure;
    return failure;
  }
}

/** Length of a whole header, from its second byte. */
function headerLength(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) >>> 5);
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}
