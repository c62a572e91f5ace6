import type { Socket } from 'node:net';
import type { Clock } from '@kikitori/core';
import { TransportError } from '@kikitori/transport';
import {
  decodeClosePayload,
  encodeCloseFrame,
  encodeFrame,
  FrameCollector,
  isControl,
  newMaskKey,
  OPCODE,
  type WholeFrame,
} from '@kikitori/transport/frames';
import type { StandInLimits } from './limits.js';
import { PingWatch } from './ping-watch.js';
import type { StreamEnd } from './stream-end.js';

/** One data frame of the container. */
export interface ContainerFrame {
  /** For a continuation: as the first frame of its message. */
  readonly isText: boolean;
  readonly isFinal: boolean;
  /** Valid during the call it is given to. */
  readonly payload: Uint8Array;
}

/** Who is told what a container does. */
export interface ContainerLinkHandlers {
  /** False: no more frames until `resume`. */
  onFrame(frame: ContainerFrame): boolean;
  /** There is room again after a `send` that said no. */
  onRoom(): void;
  /** The container ended the link; called once, and never after `close`. */
  onEnd(end: StreamEnd): void;
}

/** What a link is made of. */
export interface ContainerLinkOptions {
  /** Open and paused, as `openFrames` gives it. */
  readonly socket: Socket;
  /** What came with the handshake. */
  readonly head: Uint8Array;
  readonly limits: StandInLimits;
  readonly clock: Clock;
  readonly handlers: ContainerLinkHandlers;
}

/**
 * The WebSocket to a container, frame for frame: nothing is merged, nothing is split. Answers pings, sends its own,
 * and does the closing handshake. Reads nothing while it is told to hold.
 */
export class ContainerLink {
  readonly #socket: Socket;
  readonly #options: ContainerLinkOptions;
  readonly #collector: FrameCollector;
  readonly #watch: PingWatch;
  /** Frames may be handed out. */
  #isHeld = false;
  /** The next data frame of ours continues a message. */
  #isInMessage = false;
  #isCloseSent = false;
  #isCloseReceived = false;
  #isBroken = false;
  /** Nobody wants to hear any more: the end was told, or asked for. */
  #isTold = false;
  /** The last ping of the container while its answer has to wait. */
  #owedPong: Uint8Array | undefined;
  #cancelClose: (() => void) | undefined;
  readonly #gone: Promise<void>;

  constructor(options: ContainerLinkOptions) {
    const { socket, limits, clock } = options;
    this.#options = options;
    this.#socket = socket;
    this.#collector = new FrameCollector({ role: 'client', messageBytesMax: limits.frameBytesMax });
    this.#watch = new PingWatch({
      clock,
      intervalMs: limits.pingIntervalMs,
      missedMax: limits.missedPongsMax,
      ping: () => this.#write(encodeFrame(new Uint8Array(0), { opcode: OPCODE.ping, maskKey: newMaskKey() })),
      isPaused: () => this.#isHeld,
      onDead: () => this.#tell({ kind: 'container_silent' }),
    });
    this.#gone = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => this.#lose());
    socket.on('close', () => this.#lose());
  }

  /** What waits to be read by the container. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Starts to read. */
  start(): void {
    const socket = this.#socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('end', () => this.#lose());
    socket.on('drain', () => this.#onDrain());
    this.#watch.start();
    // Destroyed between handshake and now: nobody tells us again.
    if (socket.destroyed) this.#lose();
    else this.#take(this.#options.head);
  }

  /** Sends exactly one frame; the payload is copied. False: wait for `onRoom` before the next. */
  send({ isText, isFinal, payload }: ContainerFrame): boolean {
    if (this.#isCloseSent) return true;
    const opcode = this.#isInMessage ? OPCODE.continuation : isText ? OPCODE.text : OPCODE.binary;
    this.#isInMessage = !isFinal;
    return this.#write(encodeFrame(payload, { opcode, isFinal, maskKey: newMaskKey() }));
  }

  /** Hands out frames again. */
  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#drainFrames();
  }

  /**
   * Sends Close behind everything that was sent (or gives back the container's), drops what comes, and resolves when
   * the socket is gone: at the latest after `limits.closeMs`. Idempotent; the first code counts.
   */
  close(code: number, reason = ''): Promise<void> {
    this.#isTold = true;
    this.#watch.stop();
    this.#sendClose(code, reason);
    // Data that nobody wants is in front of the container's Close.
    this.resume();
    return this.#gone;
  }

  /** Cuts the line. Idempotent. */
  destroy(): void {
    this.#isTold = true;
    this.#watch.stop();
    this.#cancelClose?.();
    this.#socket.destroy();
  }

  #take(chunk: Uint8Array): void {
    if (this.#isBroken || this.#socket.destroyed) return;
    this.#collector.push(chunk);
    this.#drainFrames();
  }

  /** Hands out what is there, until it is used up or somebody says hold. */
  #drainFrames(): void {
    try {
      while (!this.#isHeld) {
        const frame = this.#collector.next();
        if (frame === undefined) {
          this.#socket.resume();
          return;
        }
        if (isControl(frame.opcode)) this.#onControl(frame);
        else if (!this.#isTold) this.#isHeld = !this.#handOut(frame);
      }
      this.#socket.pause();
      this.#watch.notePause();
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      // What follows cannot be read, the answer to our Close neither.
      this.#isBroken = true;
      this.#tell({ kind: 'container_broken', closeCode: error.closeCode ?? 1002 });
      this.#socket.resume();
      this.#socket.end();
    }
  }

  #handOut({ isFinal, messageOpcode, payload }: WholeFrame): boolean {
    return this.#options.handlers.onFrame({ isText: messageOpcode === OPCODE.text, isFinal, payload });
  }

  #onControl({ opcode, payload }: WholeFrame): void {
    switch (opcode) {
      case OPCODE.ping:
        this.#answerPing(payload);
        return;
      case OPCODE.pong:
        this.#watch.notePong();
        return;
      default: {
        this.#isCloseReceived = true;
        const { code, reason } = decodeClosePayload(payload);
        this.#tell({ kind: 'container_closed', code, reason });
        this.#sendClose(code, reason);
        this.#socket.end();
      }
    }
  }

  /** While the container does not read, only its last ping is remembered (RFC 6455 section 5.5.3 allows it). */
  #answerPing(payload: Uint8Array): void {
    if (this.#isCloseSent) return;
    if (this.#socket.writableNeedDrain) this.#owedPong = payload;
    else this.#write(encodeFrame(payload, { opcode: OPCODE.pong, maskKey: newMaskKey() }));
  }

  #onDrain(): void {
    const owed = this.#owedPong;
    this.#owedPong = undefined;
    if (owed !== undefined) this.#answerPing(owed);
    this.#options.handlers.onRoom();
  }

  #sendClose(code: number, reason: string): void {
    if (this.#isCloseSent || this.#socket.destroyed) return;
    this.#isCloseSent = true;
    this.#socket.write(encodeCloseFrame(code, reason, newMaskKey()));
    this.#cancelClose = this.#options.clock.after(this.#options.limits.closeMs, () => this.#socket.destroy());
  }

  #write(frame: Uint8Array): boolean {
    if (this.#isCloseSent || !this.#socket.writable) return true;
    const hasRoom = this.#socket.write(frame);
    return hasRoom || this.#socket.writableLength < this.#options.limits.containerHighWaterBytes;
  }

  /** The line ended: after the closing handshake that is all right, before it is not. */
  #lose(): void {
    this.#watch.stop();
    this.#socket.destroy();
    if (this.#socket.closed) this.#cancelClose?.();
    if (!this.#isCloseReceived) this.#tell({ kind: 'container_lost' });
  }

  #tell(end: StreamEnd): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#watch.stop();
    this.#options.handlers.onEnd(end);
  }
}
