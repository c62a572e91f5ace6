import { TransportError } from '@kikitori/transport';
import {
  encodeFrameHeader,
  type FrameHeader,
  FrameReader,
  OPCODE,
  type Opcode,
} from '@kikitori/transport/frames';
import type { Slab } from '../wire/slab.js';
import type { WireListener } from '../wire/wire.js';
import type { Line } from './line.js';
import type { TailWatch } from './tail-watch.js';

/** What a direction tells its session. */
export interface DirectionOwner {
  /** A whole control frame; never passed on. */
  onControl(from: Line, opcode: Opcode, payload: Uint8Array): void;
  /** The peer broke the rules; nothing of it is read any more. */
  onBreach(from: Line, error: TransportError): void;
  /** The first frame of the upstream's first message. */
  onFirstMessage(): void;
  /** The upstream's message that ends an utterance has passed. */
  onDone(): void;
  onEnd(from: Line): void;
  onDrain(from: Line): void;
  onGone(from: Line): void;
}

/** What a direction is made of. */
export interface DirectionOptions {
  readonly from: Line;
  readonly to: Line;
  readonly slab: Slab;
  readonly watch: TailWatch;
  readonly owner: DirectionOwner;
  readonly messageBytesMax: number;
  /** Binary messages stay binary. */
  readonly isBinary: boolean;
}

/**
 * One direction of a session: the hot path. Looks at frame headers and moves bytes.
 *
 * Frames of the client keep their mask, payload untouched: the key is the client's and travels with the frame, so it is
 * as good towards the upstream. Binary becomes text by one bit of the header, since Realtime servers take JSON as text
 * only, but where a path leads to something else; fragments behind the first say nothing about their kind. Frames of the upstream are not masked on either line and
 * pass as they are. What one read brings goes out in one write.
 */
export class Direction implements WireListener {
  /** Whole messages that passed, and the bytes of their payloads. */
  messages = 0;
  payloadBytes = 0;
  readonly #from: Line;
  readonly #to: Line;
  readonly #slab: Slab;
  readonly #watch: TailWatch;
  readonly #owner: DirectionOwner;
  readonly #reader: FrameReader;
  readonly #isFromClient: boolean;
  readonly #makesText: boolean;
  #isBroken = false;
  /** An utterance ended among the bytes in hand; told once they are on their way. */
  #isDone = false;

  constructor({ from, to, slab, watch, owner, messageBytesMax, isBinary }: DirectionOptions) {
    this.#from = from;
    this.#to = to;
    this.#slab = slab;
    this.#watch = watch;
    this.#owner = owner;
    this.#isFromClient = from.side === 'client';
    this.#makesText = this.#isFromClient && !isBinary;
    this.#reader = new FrameReader({ role: this.#isFromClient ? 'server' : 'client', messageBytesMax });
  }

  onBytes(buffer: Buffer, length: number): boolean {
    const from = this.#from;
    const to = this.#to;
    from.isHeard = true;
    if (!this.#isBroken) {
      this.#reader.push(buffer, length);
      this.#pass(buffer, length);
    }
    // What it sends has nowhere to go, or it makes us answer more than it reads.
    from.isPaused = to.isFull || from.isFull;
    return !from.isPaused;
  }

  onEnd(): void {
    this.#owner.onEnd(this.#from);
  }

  onDrain(): void {
    this.#owner.onDrain(this.#from);
  }

  onClose(): void {
    this.#owner.onGone(this.#from);
  }

  #pass(buffer: Buffer, length: number): void {
    const reader = this.#reader;
    const to = this.#to;
    // Bytes from here on go out; −1: none. Up to `end`.
    let start = -1;
    let end = 0;
    let breach: TransportError | undefined;
    try {
      for (let step = reader.next(); step !== 'starved'; step = reader.next()) {
        if (step === 'header') {
          if (start < 0) start = reader.headerStart < 0 ? reader.start : reader.headerStart;
          end = reader.start;
          this.#onHeader(reader.frame, buffer, length);
        } else if (step === 'payload') {
          if (start < 0) start = reader.start;
          end = reader.end;
          if (!reader.isFrameEnd) continue;
          this.#onFrameEnd(reader.frame);
          if (to.hasPending) {
            this.#gather(buffer, start, end);
            start = -1;
            this.#slab.gather(to.takePending());
          }
        } else {
          this.#gather(buffer, start, end);
          start = -1;
          to.deliver(this.#slab);
          this.#owner.onControl(this.#from, reader.frame.opcode, reader.controlPayload);
        }
      }
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      breach = error;
    }
    this.#gather(buffer, start, end);
    to.deliver(this.#slab);
    this.#tellOwner(breach);
  }

  #tellOwner(breach: TransportError | undefined): void {
    if (breach !== undefined) {
      this.#isBroken = true;
      this.#owner.onBreach(this.#from, breach);
    }
    if (this.#isDone) {
      this.#isDone = false;
      this.#owner.onDone();
    }
  }

  #onHeader(frame: FrameHeader, buffer: Buffer, length: number): void {
    const { headerStart, start } = this.#reader;
    const isBinary = this.#makesText && frame.opcode === OPCODE.binary;
    if (headerStart < 0) this.#gatherCutHeader(frame, isBinary ? OPCODE.text : frame.opcode);
    else if (isBinary) buffer[headerStart] = ((buffer[headerStart] ?? 0) & 0xf0) | OPCODE.text;
    this.#to.isMidFrame = true;
    if (this.#isFromClient) {
      this.#watch.onClientFrame(frame, buffer, start, length - start);
    } else {
      if (this.messages === 0) this.#owner.onFirstMessage();
      this.#watch.onUpstreamFrame(frame, buffer, start, length - start);
    }
  }

  /** A header that came in pieces is written anew, and is the same, since only shortest lengths are let through. */
  #gatherCutHeader({ isFinal, payloadBytes, isMasked, maskKey }: FrameHeader, opcode: Opcode): void {
    if (!this.#to.isOpen) return;
    const key = isMasked ? maskKey : undefined;
    this.#slab.gather(encodeFrameHeader({ opcode, isFinal, payloadBytes, maskKey: key }));
  }

  #onFrameEnd({ isFinal, payloadBytes }: FrameHeader): void {
    this.#to.isMidFrame = false;
    this.payloadBytes += payloadBytes;
    if (this.#isFromClient) this.#watch.onClientFrameEnd();
    if (!isFinal) return;
    this.messages += 1;
    if (!this.#isFromClient && this.#watch.onUpstreamMessage()) this.#isDone = true;
  }

  #gather(buffer: Buffer, start: number, end: number): void {
    if (start >= 0 && this.#to.isOpen) this.#slab.gather(buffer, start, end);
  }
}
