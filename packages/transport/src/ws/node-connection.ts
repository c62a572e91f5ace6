import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { timerMs } from '@kikitori/core';
import { WebSocket } from 'ws';
import { BoundedQueue } from '../bounded-queue.js';
import { assertSendableCloseCode, endForCloseCode, truncateCloseReason } from '../close-code.js';
import type { Connection, Message } from '../connection.js';
import { nextConnectionId } from '../connection-id.js';
import { TransportError } from '../errors.js';
import { Gate } from '../gate.js';
import { TRANSPORT_LIMITS } from '../limits.js';
import { assertMessageFits } from '../message-size.js';
import { Keepalive } from './keepalive.js';

/** What may be tuned per connection; the defaults are in `limits.ts`. */
export interface WebSocketTuning {
  /** Largest message accepted and sent. */
  readonly messageBytesMax?: number;
  /** `Infinity` switches pings off. */
  readonly pingIntervalMs?: number;
  readonly pongTimeoutMs?: number;
  readonly closeTimeoutMs?: number;
}

/** What a connection over `ws` is made of. */
export interface NodeConnectionParts {
  readonly socket: LimitedWebSocket;
  /** The stream below, for counting bytes. */
  readonly stream: Duplex;
  readonly role: 'client' | 'server';
  readonly tuning: WebSocketTuning;
  /** Called once, when nothing of the connection is left. */
  readonly onClosed?: () => void;
}

/** `ws` with vLLM's words in the close frame for a message above the limit. */
export class LimitedWebSocket extends WebSocket {
  /** Set right after construction, before anything can be received. */
  messageBytesMax: number = TRANSPORT_LIMITS.messageBytesMax;

  /** `ws` closes with 1009 and no reason when its `maxPayload` is exceeded; vLLM's server says which limit. */
  override close(code?: number, data?: string | Buffer): void {
    const isSilentOversize = code === 1009 && data === undefined;
    super.close(code, isSilentOversize ? `frame exceeds limit of ${this.messageBytesMax} bytes` : data);
  }
}

const TEXT = { binary: false, compress: false } as const;
const BINARY = { binary: true, compress: false } as const;

/** The `Connection` over an open `ws` socket. */
export class NodeWebSocketConnection implements Connection {
  readonly id = nextConnectionId('ws');
  readonly #socket: LimitedWebSocket;
  readonly #stream: Duplex;
  readonly #isServer: boolean;
  readonly #messageBytesMax: number;
  readonly #closeTimeoutMs: number;
  readonly #onClosed: (() => void) | undefined;
  readonly #inbox: BoundedQueue<Message>;
  readonly #keepalive: Keepalive;
  readonly #drained = new Gate();
  readonly #gone = new Gate();
  readonly #written = (error?: Error | null): void => this.#onWritten(error);
  #framesHeard = 0;
  #closing: Promise<void> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosedByUs = false;
  #isGone = false;
  #closedError: TransportError | undefined;

  constructor({ socket, stream, role, tuning, onClosed }: NodeConnectionParts) {
    this.#socket = socket;
    this.#stream = stream;
    this.#isServer = role === 'server';
    this.#messageBytesMax = tuning.messageBytesMax ?? TRANSPORT_LIMITS.messageBytesMax;
    this.#closeTimeoutMs = tuning.closeTimeoutMs ?? TRANSPORT_LIMITS.closeTimeoutMs;
    this.#onClosed = onClosed;
    this.#inbox = new BoundedQueue<Message>({
      highWaterBytes: TRANSPORT_LIMITS.receiveHighWaterBytes,
      highWaterCount: TRANSPORT_LIMITS.receiveHighWaterCount,
      maxBytes: TRANSPORT_LIMITS.receiveBytesMax,
      maxCount: TRANSPORT_LIMITS.receiveCountMax,
      onRoom: () => this.#socket.resume(),
      onAbandoned: () => this.destroy(),
    });
    this.#keepalive = new Keepalive({
      intervalMs: tuning.pingIntervalMs ?? TRANSPORT_LIMITS.pingIntervalMs,
      timeoutMs: tuning.pongTimeoutMs ?? TRANSPORT_LIMITS.pongTimeoutMs,
      ping: () => this.#socket.ping(),
      signsOfLife: () => this.#signsOfLife(),
      isPaused: () => this.#socket.isPaused,
      onDead: () => this.#failAsDead(),
    });
    this.#listen();
    this.#keepalive.start();
  }

  get messages(): AsyncIterable<Message> {
    return this.#inbox;
  }

  async send(message: Message, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#socket.readyState !== WebSocket.OPEN) throw this.#whyClosed();
    assertMessageFits(message, this.#messageBytesMax);
    if (this.#socket.bufferedAmount >= TRANSPORT_LIMITS.sendBytesMax) {
      throw new TransportError('send_overflow', 'Too much waits to be written; await every send.');
    }
    if (typeof message === 'string') {
      this.#socket.send(message, TEXT, this.#written);
    } else {
      // A client's masking copies; a server would hand the caller's bytes to the socket after we resolved.
      this.#socket.send(this.#isServer ? message.slice() : message, BINARY, this.#written);
    }
    while (!this.#isGone && this.#socket.bufferedAmount >= TRANSPORT_LIMITS.sendHighWaterBytes) {
      await this.#drained.wait({ signal });
      if (this.#isGone) throw this.#whyClosed();
    }
  }

  close(code = 1000, reason = ''): Promise<void> {
    try {
      assertSendableCloseCode(code);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#closing ??= this.#close(code, truncateCloseReason(reason));
    return this.#closing;
  }

  destroy(reason?: Error): void {
    this.#inbox.destroy(reason ?? new TransportError('destroyed', 'The connection was destroyed.'));
    if (this.#isGone) return;
    this.#closedError ??= new TransportError('closed', 'The connection was destroyed.');
    this.#socket.terminate();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('ping', () => this.#noteFrame());
    socket.on('pong', () => this.#noteFrame());
    socket.on('error', (error) => this.#onFault(error));
    socket.on('close', (code, reason) => this.#onClose(code, reason.toString('utf8')));
  }

  #onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    this.#noteFrame();
    // With the default binaryType `ws` always hands out a Buffer; this narrows its type.
    if (!Buffer.isBuffer(data)) return;
    // Our own close was sent: what fits is still delivered, the rest of the stream is dropped.
    if (this.#isClosedByUs && this.#inbox.isAboveMark) {
      this.#inbox.end();
      return;
    }
    const message = isBinary ? ownBytes(data) : data.toString('utf8');
    if (!this.#inbox.offer(message, data.byteLength)) {
      if (!this.#inbox.isEnded)
        this.#failLocally(new TransportError('receive_overflow', 'Too much waits unread.'));
      return;
    }
    if (this.#inbox.isAboveMark && !this.#isClosedByUs) socketPause(this.#socket);
  }

  async #close(code: number, reason: string): Promise<void> {
    if (this.#isGone) return;
    this.#isClosedByUs = true;
    this.#closedError ??= new TransportError('closed', 'The connection is closed.', { closeCode: code });
    // The peer's answer may be behind data that nobody reads here.
    this.#socket.resume();
    this.#socket.close(code, reason);
    this.#armCloseTimer();
    await this.#gone.wait();
  }

  #onFault(error: Error): void {
    const fault = faultOf(error);
    this.#closedError ??= new TransportError('closed', 'The connection failed.', { cause: fault });
    this.#inbox.fail(fault);
    this.#armCloseTimer();
  }

  #failAsDead(): void {
    const closeReason = 'keepalive ping timeout';
    this.#failLocally(
      new TransportError('keepalive_timeout', 'The peer gave no sign of life.', { closeReason }),
      closeReason,
    );
  }

  #failLocally(error: TransportError, closeReason = ''): void {
    this.#closedError ??= new TransportError('closed', 'The connection failed.', { cause: error });
    this.#inbox.fail(error);
    this.#socket.resume();
    this.#socket.close(error.closeCode, closeReason);
    this.#armCloseTimer();
  }

  #onClose(code: number, reason: string): void {
    this.#isGone = true;
    this.#keepalive.stop();
    clearTimeout(this.#closeTimer);
    this.#closeTimer = undefined;
    this.#closedError ??= new TransportError('closed', 'The peer closed the connection.', {
      closeCode: code,
      closeReason: reason,
    });
    const error = this.#isClosedByUs ? undefined : endForCloseCode(code, reason);
    if (error === undefined) this.#inbox.end();
    else this.#inbox.fail(error);
    this.#drained.open();
    this.#gone.open();
    this.#onClosed?.();
  }

  #armCloseTimer(): void {
    this.#closeTimer ??= setTimeout(() => this.#socket.terminate(), timerMs(this.#closeTimeoutMs));
  }

  #onWritten(error: Error | null | undefined): void {
    // A cut line also empties the buffer; the close that follows tells the senders.
    if (error || this.#stream.destroyed) return;
    if (this.#drained.size > 0 && this.#socket.bufferedAmount < TRANSPORT_LIMITS.sendHighWaterBytes) {
      this.#drained.open();
    }
  }

  #noteFrame(): void {
    this.#framesHeard += 1;
  }

  #signsOfLife(): number {
    return this.#stream instanceof Socket ? this.#stream.bytesRead : this.#framesHeard;
  }

  #whyClosed(): TransportError {
    return this.#closedError ?? new TransportError('closed', 'The connection is closing.');
  }
}

function socketPause(socket: WebSocket): void {
  if (!socket.isPaused) socket.pause();
}

/** The reader owns what it gets: a view into a buffer shared with other messages is copied out. */
function ownBytes(data: Buffer): Uint8Array {
  const isWhole = data.byteLength === data.buffer.byteLength;
  return isWhole ? new Uint8Array(data.buffer) : new Uint8Array(data);
}

function faultOf(error: Error): TransportError {
  switch ('code' in error ? error.code : undefined) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
      return new TransportError('message_too_big', 'The peer sent a message above the limit.', {
        cause: error,
      });
    case 'WS_ERR_INVALID_UTF8':
      return new TransportError('invalid_utf8', 'The peer sent text that is not UTF-8.', { cause: error });
    default:
      return new TransportError('protocol_error', 'The peer broke the WebSocket framing rules.', {
        cause: error,
      });
  }
}
