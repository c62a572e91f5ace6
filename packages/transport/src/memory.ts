import { BoundedQueue } from './bounded-queue.js';
import {
  assertSendableCloseCode,
  CLOSE_CODE_ABNORMAL,
  endForCloseCode,
  truncateCloseReason,
} from './close-code.js';
import type {
  Admission,
  Connect,
  Connection,
  ConnectOptions,
  Handshake,
  Listener,
  ListenHandlers,
  Message,
} from './connection.js';
import { nextConnectionId } from './connection-id.js';
import { TransportError } from './errors.js';
import { TRANSPORT_LIMITS } from './limits.js';
import { assertMessageFits, messageBytes } from './message-size.js';
import { retryAfterMs } from './retry-after.js';

/** Bounds of one end; the defaults are those of every transport. */
export interface MemoryEndOptions {
  /** Largest message this end accepts and sends. */
  readonly messageBytesMax?: number;
  /** Unread bytes from which on the other end's `send` waits. */
  readonly receiveHighWaterBytes?: number;
}

/** Two ends of one connection inside a process: `near` and `far` are alike. */
export interface MemoryPair {
  readonly near: Connection;
  readonly far: Connection;
}

/**
 * Opens a connection that never leaves the process, with the same bounds, order and ownership as the others: bytes
 * are copied when sent, `send` waits while the other end does not read.
 */
export function createMemoryPair(
  options: { readonly near?: MemoryEndOptions; readonly far?: MemoryEndOptions } = {},
): MemoryPair {
  const near = new MemoryEnd(options.near ?? {});
  const far = new MemoryEnd(options.far ?? {});
  near.join(far);
  far.join(near);
  return { near, far };
}

class MemoryEnd implements Connection {
  readonly id = nextConnectionId('memory');
  readonly #inbox: BoundedQueue<Message>;
  readonly #messageBytesMax: number;
  #peer: MemoryEnd | undefined;
  /** Why this end can no longer send. */
  #closed: TransportError | undefined;
  /** Set when what was sent may not have arrived. */
  #lost: TransportError | undefined;

  constructor(options: MemoryEndOptions) {
    this.#messageBytesMax = options.messageBytesMax ?? TRANSPORT_LIMITS.messageBytesMax;
    this.#inbox = new BoundedQueue<Message>({
      highWaterBytes: options.receiveHighWaterBytes ?? TRANSPORT_LIMITS.receiveHighWaterBytes,
      highWaterCount: TRANSPORT_LIMITS.receiveHighWaterCount,
      maxBytes: TRANSPORT_LIMITS.sendBytesMax,
      maxCount: TRANSPORT_LIMITS.receiveCountMax,
      onAbandoned: () => this.destroy(),
    });
  }

  get messages(): AsyncIterable<Message> {
    return this.#inbox;
  }

  /** Once, right after construction: two objects cannot name each other in their constructors. */
  join(peer: MemoryEnd): void {
    this.#peer = peer;
  }

  async send(message: Message, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    const peer = this.#peer;
    if (this.#closed !== undefined || peer === undefined) throw this.#closedError();
    assertMessageFits(message, this.#messageBytesMax);
    const bytes = messageBytes(message, this.#messageBytesMax);
    if (
      bytes > peer.#messageBytesMax &&
      messageBytes(message, peer.#messageBytesMax) > peer.#messageBytesMax
    ) {
      peer.#refuseOversize();
      return;
    }
    const copy = typeof message === 'string' ? message : message.slice();
    if (!peer.#inbox.offer(copy, bytes)) {
      throw new TransportError('send_overflow', 'Too much waits to be read; await every send.');
    }
    await peer.#inbox.room(options);
    if (this.#lost !== undefined) throw this.#lost;
  }

  close(code = 1000, reason = ''): Promise<void> {
    try {
      assertSendableCloseCode(code);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#shut(code, truncateCloseReason(reason));
    return Promise.resolve();
  }

  destroy(reason?: Error): void {
    const error = reason ?? new TransportError('destroyed', 'The connection was destroyed.');
    this.#inbox.destroy(error);
    if (this.#closed !== undefined) return;
    this.#closed = new TransportError('closed', 'The connection was destroyed.');
    this.#lost = this.#closed;
    this.#tellPeer(CLOSE_CODE_ABNORMAL, '');
  }

  #shut(code: number, reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = new TransportError('closed', 'The connection is closed.', { closeCode: code });
    this.#inbox.end();
    this.#tellPeer(code, reason);
  }

  #tellPeer(code: number, reason: string): void {
    const peer = this.#peer;
    if (peer !== undefined) peer.#onPeerClosed(code, reason);
  }

  #onPeerClosed(code: number, reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = new TransportError('closed', 'The peer closed the connection.', {
      closeCode: code,
      closeReason: reason,
    });
    const error = endForCloseCode(code, reason);
    if (code === CLOSE_CODE_ABNORMAL) this.#lost = error;
    if (error === undefined) this.#inbox.end();
    else this.#inbox.fail(error);
  }

  /** What the WebSocket transport does with a frame above the limit: this end fails, the other is told 1009. */
  #refuseOversize(): void {
    if (this.#closed !== undefined) return;
    this.#inbox.fail(
      new TransportError('message_too_big', 'The peer sent a message above the limit.', { closeCode: 1009 }),
    );
    this.#shut(1009, `frame exceeds limit of ${this.#messageBytesMax} bytes`);
  }

  #closedError(): TransportError {
    return this.#closed ?? new TransportError('closed', 'The connection is closed.');
  }
}

/** A place inside the process that peers can connect to; made for `attachMemory`. */
export interface MemoryHost {
  /** Opens a connection to whoever is attached; any scheme and host in the URL, the path and query count. */
  readonly connect: Connect;
  /** Attaches; throws `invalid_argument` while somebody is. */
  attach(handlers: ListenHandlers): Listener;
}

/** Makes a host. Nothing runs until somebody attaches and somebody connects. */
export function createMemoryHost(
  options: { readonly near?: MemoryEndOptions; readonly far?: MemoryEndOptions } = {},
): MemoryHost {
  let attached: ListenHandlers | undefined;
  return {
    connect: async (request) => {
      request.signal?.throwIfAborted();
      const handshake = handshakeOf(request);
      if (attached === undefined) {
        throw new TransportError('connect_failed', 'Nobody listens here.');
      }
      const handlers = attached;
      admitOrThrow(handlers, handshake);
      const { near, far } = createMemoryPair(options);
      try {
        handlers.onConnection(far, handshake);
      } catch {
        await far.close(1011, 'internal error');
      }
      return near;
    },
    attach: (handlers) => {
      if (attached !== undefined) {
        throw new TransportError('invalid_argument', 'Somebody is already attached to this host.');
      }
      attached = handlers;
      return {
        close: () => {
          if (attached === handlers) attached = undefined;
          return Promise.resolve();
        },
      };
    },
  };
}

/** `Listen` over a memory host. */
export function attachMemory(host: MemoryHost, handlers: ListenHandlers): Listener {
  return host.attach(handlers);
}

function admitOrThrow(handlers: ListenHandlers, handshake: Handshake): void {
  let admission: Admission;
  try {
    admission = handlers.admit(handshake);
  } catch {
    admission = { accept: false, status: 500 };
  }
  if (!admission.accept) {
    throw new TransportError('refused', 'The peer refused the connection; its HTTP status says why.', {
      httpStatus: admission.status,
      retryAfterMs: retryAfterMs(headerOf(admission.headers, 'retry-after'), Date.now()),
    });
  }
}

function headerOf(headers: Readonly<Record<string, string>> = {}, name: string): string | undefined {
  return Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
}

function handshakeOf(request: ConnectOptions): Handshake {
  let url: URL;
  try {
    url = new URL(request.url);
  } catch {
    throw new TransportError('invalid_url', 'The address is not a URL.');
  }
  const headers = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    path: url.pathname,
    query: url.search.slice(1),
    headers: Object.fromEntries(headers),
    remoteAddress: '127.0.0.1',
    protocols: request.protocols ?? [],
  };
}
