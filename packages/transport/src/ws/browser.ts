import { timerMs, whenAborted } from '@kikitori/core';
import { BoundedQueue } from '../bounded-queue.js';
import { assertSendableCloseCode, endForCloseCode, truncateCloseReason } from '../close-code.js';
import type { Connection, ConnectOptions, Message } from '../connection.js';
import { nextConnectionId } from '../connection-id.js';
import { TransportError } from '../errors.js';
import { Gate } from '../gate.js';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  DRAIN_POLL_MS_MAX,
  DRAIN_POLL_MS_MIN,
  MESSAGE_BYTES_MAX,
  RECEIVE_BYTES_MAX,
  RECEIVE_COUNT_MAX,
  RECEIVE_HIGH_WATER_BYTES,
  RECEIVE_HIGH_WATER_COUNT,
  SEND_BYTES_MAX,
  SEND_HIGH_WATER_BYTES,
} from '../limits.js';
import { assertMessageFits } from '../message-size.js';

/**
 * Opens the platform's own `WebSocket`.
 *
 * What a browser cannot do: send headers (an `authorization` header is refused with `headers_unsupported`, others are
 * left out), tell why a handshake failed (always `connect_failed`), ping, or make a fast peer wait (a reader that
 * stays behind by `receiveBytesMax` ends the connection with `receive_overflow`).
 */
export function connectWebSocket(options: ConnectOptions): Promise<Connection> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const socket = open(options);
    const settle = (): void => {
      clearTimeout(timer);
      leave();
      socket.onopen = null;
      socket.onerror = null;
      socket.onclose = null;
    };
    const giveUp = (reason: unknown): void => {
      settle();
      // An aborted handshake still reports an error event; nobody is interested any more.
      socket.onerror = () => undefined;
      socket.close();
      reject(reason);
    };
    const leave = whenAborted(signal, () => giveUp(signal?.reason));
    const timer = setTimeout(() => {
      giveUp(new TransportError('connect_timeout', 'The peer did not answer the handshake in time.'));
    }, CONNECT_TIMEOUT_MS);
    socket.onerror = () => undefined;
    socket.onclose = () => {
      giveUp(new TransportError('connect_failed', 'No connection; a browser does not tell why.'));
    };
    socket.onopen = () => {
      settle();
      resolve(new BrowserConnection(socket));
    };
  });
}

function open(options: ConnectOptions): WebSocket {
  const names = Object.keys(options.headers ?? {}).map((name) => name.toLowerCase());
  if (names.includes('authorization')) {
    throw new TransportError(
      'headers_unsupported',
      'A browser cannot send a key with a WebSocket; connect through a proxy that adds it.',
    );
  }
  if (!/^wss?:\/\//i.test(options.url)) {
    throw new TransportError('invalid_url', 'The address must begin with ws:// or wss://.');
  }
  try {
    const socket = new WebSocket(options.url, [...(options.protocols ?? [])]);
    socket.binaryType = 'arraybuffer';
    return socket;
  } catch (error) {
    throw new TransportError('invalid_url', 'The browser does not accept this address.', { cause: error });
  }
}

class BrowserConnection implements Connection {
  readonly id = nextConnectionId('ws');
  readonly #socket: WebSocket;
  readonly #inbox: BoundedQueue<Message>;
  readonly #gone = new Gate();
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #drained = new Gate();
  #closing: Promise<void> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosedByUs = false;
  #isGone = false;
  #closedError: TransportError | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#inbox = new BoundedQueue<Message>({
      highWaterBytes: RECEIVE_HIGH_WATER_BYTES,
      highWaterCount: RECEIVE_HIGH_WATER_COUNT,
      maxBytes: RECEIVE_BYTES_MAX,
      maxCount: RECEIVE_COUNT_MAX,
      onAbandoned: () => this.destroy(),
    });
    // Nothing else comes: the socket's binary type is set.
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.#onMessage(event.data);
    socket.onerror = () => undefined;
    socket.onclose = (event) => this.#onClose(event.code, event.reason);
  }

  get messages(): AsyncIterable<Message> {
    return this.#inbox;
  }

  async send(message: Message, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isGone || this.#socket.readyState !== this.#socket.OPEN) throw this.#whyClosed();
    assertMessageFits(message, MESSAGE_BYTES_MAX);
    if (this.#socket.bufferedAmount >= SEND_BYTES_MAX) {
      throw new TransportError('send_overflow', 'Too much waits to be written; await every send.');
    }
    // The platform copies bytes. A view may lie on shared memory, which it refuses: `slice` gives plain memory.
    this.#socket.send(typeof message === 'string' ? message : message.slice().buffer);
    while (!this.#isGone && this.#isAboveMark()) {
      this.#poll(DRAIN_POLL_MS_MIN);
      await this.#drained.wait({ signal });
      if (this.#isGone) throw this.#whyClosed();
    }
  }

  async close(code = 1000, reason = ''): Promise<void> {
    assertSendableCloseCode(code);
    // Browsers send 1000 and the private codes only.
    this.#closing ??= this.#close(code >= 3000 ? code : 1000, truncateCloseReason(reason));
    await this.#closing;
  }

  destroy(reason?: Error): void {
    this.#inbox.destroy(reason ?? new TransportError('destroyed', 'The connection was destroyed.'));
    if (this.#isGone) return;
    this.#closedError ??= new TransportError('closed', 'The connection was destroyed.');
    // A page cannot cut the line: it says goodbye and stops listening.
    this.#socket.close();
    this.#letGo();
  }

  #onMessage(data: string | ArrayBuffer): void {
    if (this.#isClosedByUs && this.#inbox.isAboveMark) this.#inbox.end();
    const message = typeof data === 'string' ? data : new Uint8Array(data);
    if (this.#inbox.offer(message, message.length) || this.#inbox.isEnded) return;
    const error = new TransportError('receive_overflow', 'Too much waits unread; read the messages faster.');
    this.#closedError ??= new TransportError('closed', 'The connection failed.', { cause: error });
    this.#inbox.fail(error);
    this.#socket.close(error.closeCode, 'receive buffer full');
    this.#armCloseTimer();
  }

  async #close(code: number, reason: string): Promise<void> {
    if (this.#isGone) return;
    this.#isClosedByUs = true;
    this.#closedError ??= new TransportError('closed', 'The connection is closed.', { closeCode: code });
    this.#socket.close(code, reason);
    this.#armCloseTimer();
    await this.#gone.wait();
  }

  #onClose(closeCode: number, closeReason: string): void {
    this.#closedError ??= new TransportError('closed', 'The peer closed the connection.', {
      closeCode,
      closeReason,
    });
    const error = this.#isClosedByUs ? undefined : endForCloseCode(closeCode, closeReason);
    if (error === undefined) this.#inbox.end();
    else this.#inbox.fail(error);
    this.#letGo();
  }

  /** Nothing of the platform socket reaches us any more, and nothing of ours is left running. */
  #letGo(): void {
    this.#isGone = true;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    clearTimeout(this.#closeTimer);
    clearTimeout(this.#pollTimer);
    this.#pollTimer = undefined;
    this.#inbox.end();
    this.#drained.open();
    this.#gone.open();
  }

  #armCloseTimer(): void {
    this.#closeTimer ??= setTimeout(() => this.#letGo(), CLOSE_TIMEOUT_MS);
  }

  #isAboveMark(): boolean {
    return this.#socket.bufferedAmount >= SEND_HIGH_WATER_BYTES;
  }

  /** One timer for all who wait, and only while somebody waits; it slows down to its upper bound. */
  #poll(delayMs: number): void {
    if (this.#pollTimer !== undefined) return;
    this.#pollTimer = setTimeout(() => {
      this.#pollTimer = undefined;
      if (!this.#isAboveMark()) this.#drained.open();
      else if (this.#drained.size > 0) this.#poll(Math.min(delayMs * 2, DRAIN_POLL_MS_MAX));
    }, timerMs(delayMs));
  }

  #whyClosed(): TransportError {
    return this.#closedError ?? new TransportError('closed', 'The connection is closing.');
  }
}
