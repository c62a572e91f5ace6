import {
  type IncomingMessage,
  type Server,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { type Server as UpgradeServer, WebSocketServer } from 'ws';
import type { Admission, Handshake, Listener, ListenHandlers } from '../connection.js';
import { TRANSPORT_LIMITS } from '../limits.js';
import { LimitedWebSocket, NodeWebSocketConnection, type WebSocketTuning } from './node-connection.js';

/** What `attachWebSockets` takes besides the seam's arguments. */
export interface AttachOptions extends WebSocketTuning {
  /** Open connections in all; above it a handshake is answered with 503 before `admit` is asked. */
  readonly connectionsMax?: number;
  /** Told what `admit` or `onConnection` threw; the peer only learns 500 or 1011. */
  readonly onHandlerError?: (error: unknown) => void;
}

type Refusal = Extract<Admission, { accept: false }>;

/**
 * Accepts WebSockets on a `node:http` server: every upgrade request is asked about with `admit`, whatever its path.
 *
 * Admission is decided at once, so no handshake waits here; what a peer may do before its header is complete is
 * bounded by the HTTP server (`HTTP_SERVER_DEFAULTS`). Compression is never negotiated, so a message cannot grow
 * after it was measured. Answers hold nothing of the request.
 */
export function attachWebSockets(
  host: Server,
  handlers: ListenHandlers,
  options: AttachOptions = {},
): Listener {
  const attachment = new Attachment(handlers, options);
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    attachment.onUpgrade(request, socket, head);
  host.on('upgrade', onUpgrade);
  return {
    close: () => {
      host.off('upgrade', onUpgrade);
      return Promise.resolve();
    },
  };
}

class Attachment {
  readonly #handlers: ListenHandlers;
  readonly #options: AttachOptions;
  readonly #messageBytesMax: number;
  readonly #server: UpgradeServer<typeof LimitedWebSocket>;
  #openCount = 0;
  /** The subprotocol of the handshake in hand; `ws` asks for it within `handleUpgrade`. */
  #chosenProtocol: string | undefined;

  constructor(handlers: ListenHandlers, options: AttachOptions) {
    this.#handlers = handlers;
    this.#options = options;
    this.#messageBytesMax = options.messageBytesMax ?? TRANSPORT_LIMITS.messageBytesMax;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#messageBytesMax,
      WebSocket: LimitedWebSocket,
      handleProtocols: () => this.#chosenProtocol ?? false,
    });
  }

  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const destroy = (): void => {
      socket.destroy();
    };
    socket.on('error', destroy);
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      refuse(socket, { accept: false, status: 400, body: 'Only WebSocket upgrades are served here.' });
      return;
    }
    const handshake = handshakeOf(request);
    const { connectionsMax = TRANSPORT_LIMITS.connectionsMax } = this.#options;
    const isFull = this.#openCount >= connectionsMax;
    const admission = isFull
      ? { accept: false as const, status: 503, headers: { 'Retry-After': '1' } }
      : this.#admit(handshake);
    if (!admission.accept) {
      refuse(socket, admission);
      return;
    }
    socket.off('error', destroy);
    this.#chosenProtocol = admission.protocol;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#onOpen(webSocket, socket, handshake);
    });
  }

  #onOpen(socket: LimitedWebSocket, stream: Duplex, handshake: Handshake): void {
    socket.messageBytesMax = this.#messageBytesMax;
    this.#openCount += 1;
    const connection = new NodeWebSocketConnection({
      socket,
      stream,
      role: 'server',
      tuning: this.#options,
      onClosed: () => {
        this.#openCount -= 1;
      },
    });
    try {
      this.#handlers.onConnection(connection, handshake);
    } catch (error) {
      this.#options.onHandlerError?.(error);
      void connection.close(1011, 'internal error');
    }
  }

  #admit(handshake: Handshake): Admission {
    try {
      return this.#handlers.admit(handshake);
    } catch (error) {
      this.#options.onHandlerError?.(error);
      return { accept: false, status: 500 };
    }
  }
}

function handshakeOf(request: IncomingMessage): Handshake {
  const target = request.url ?? '/';
  const queryAt = target.indexOf('?');
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return {
    path: queryAt === -1 ? target : target.slice(0, queryAt),
    query: queryAt === -1 ? '' : target.slice(queryAt + 1),
    headers: Object.fromEntries(headers),
    remoteAddress: request.socket.remoteAddress ?? '',
    protocols: (request.headers['sec-websocket-protocol'] ?? '')
      .split(',')
      .map((protocol) => protocol.trim())
      .filter((protocol) => protocol !== ''),
  };
}

/** Answers a handshake with an HTTP answer and ends the line once the peer has read it or its time is up. */
function refuse(socket: Duplex, refusal: Refusal): void {
  const timer = setTimeout(() => socket.destroy(), TRANSPORT_LIMITS.refusalTimeoutMs);
  socket.once('close', () => clearTimeout(timer));
  // The peer may still be sending: unread bytes would turn our end into a reset that swallows the answer.
  socket.resume();
  socket.end(answerText(refusal));
}

function answerText({ status, headers = {}, body = '' }: Refusal): string {
  const isValid = Number.isInteger(status) && status >= 300 && status <= 599 && areValid(headers);
  if (!isValid) return answerText({ accept: false, status: 500 });
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`];
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (body !== '' && !names.has('content-type')) lines.push('Content-Type: text/plain; charset=utf-8');
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== 'content-length' && name.toLowerCase() !== 'connection') {
      lines.push(`${name}: ${value}`);
    }
  }
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', body);
  return lines.join('\r\n');
}

function areValid(headers: Readonly<Record<string, string>>): boolean {
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    return true;
  } catch {
    return false;
  }
}
