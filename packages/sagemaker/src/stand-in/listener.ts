import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createH2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock, Logger } from '@kikitori/core';
import { SageMakerError } from '../errors.js';
import type { ServerCertificate } from './certificate.js';
import { LineKeeper, SessionKeeper } from './connection-keepers.js';
import { type Exchange, exchangeOfHttp1 } from './exchange.js';
import type { StandInLimits } from './limits.js';

/** What a listener needs. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: plain text. */
  readonly certificate: ServerCertificate | undefined;
  readonly limits: StandInLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for every request of HTTP/2; must not throw. */
  readonly onStream: (stream: ServerHttp2Stream, rawHeaders: readonly string[]) => void;
  /** Called for every request of HTTP/1.1; must not throw. */
  readonly onExchange: (exchange: Exchange) => void;
}

/** A server of HTTP/2 and HTTP/1.1 that listens. */
export interface Listener {
  /** The port that was really taken. */
  readonly port: number;
  /** Open TCP connections. */
  readonly connectionCount: number;
  /** Takes no new connections, and lets go of each one when its last request is answered. */
  stop(): void;
  /** Cuts every connection; resolves when nothing is left. */
  destroy(): Promise<void>;
}

/** Something that is let go of when its last request is answered. */
interface Keeper {
  retire(): void;
}

/** How a connection of HTTP/2 begins. */
const PREFACE = 'PRI * HTTP/2.0\r\n';

/**
 * Listens for HTTP/2, in which streams go both ways, and for HTTP/1.1 beside it, which AWS's clients speak when a body is answered with a body: over
 * TLS by ALPN (a client that names neither speaks HTTP/1.1), in plain text by the first bytes.
 *
 * @throws SageMakerError `port_in_use`, `port_forbidden`, `address_unavailable`, `listen_failed`, `certificate_failed`
 */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { host, port, limits, logger, certificate } = options;
  const keepers = new Set<Keeper>();
  const [h2, h1] = [makeH2Server(options, keepers), makeHttp1Server(options, keepers)];
  const front = makeFront(options);
  const sockets = new Set<Socket>();
  front.maxConnections = limits.connectionsMax;
  front.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Frames are small, and each one is waited for.
    socket.setNoDelay(true);
    if (certificate === undefined) tellApart(socket, { ...options, h2, h1 });
  });
  front.on('secureConnection', (socket) => {
    socket.on('error', () => logger.debug('connection failed'));
    (socket.alpnProtocol === 'h2' ? h2 : h1).emit('connection', socket);
  });
  front.on('tlsClientError', () => logger.debug('TLS handshake failed'));
  await listening(front, { host, port });
  front.on('error', () => logger.error('listening socket failed'));
  let stopped: Promise<void> | undefined;
  const stopListening = (): Promise<void> => {
    stopped ??= new Promise((resolve) => front.close(() => resolve()));
    return stopped;
  };
  return {
    // A TCP server that listens has an address object.
    port: (front.address() as AddressInfo).port,
    get connectionCount() {
      return sockets.size;
    },
    stop: () => {
      // `destroy`, which always follows, waits for it.
      void stopListening();
      for (const keeper of keepers) keeper.retire();
    },
    destroy: async () => {
      const closed = [...sockets].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      );
      for (const socket of sockets) socket.destroy();
      await Promise.all([stopListening(), ...closed]);
    },
  };
}

const MIB = 1024 * 1024;

function makeH2Server(
  { limits, clock, logger, onStream }: ListenerOptions,
  keepers: Set<Keeper>,
): Http2Server {
  // What all streams of a connection may have waiting; Node's own bound is 10, and refuses streams above it.
  const waitingBytes = limits.streamsPerConnectionMax * limits.clientHighWaterBytes + limits.frameBytesMax;
  const server = createH2Server({
    maxSessionMemory: Math.ceil(waitingBytes / MIB),
    settings: {
      initialWindowSize: limits.streamWindowBytes,
      maxConcurrentStreams: limits.streamsPerConnectionMax,
      maxHeaderListSize: limits.headerBytesMax,
    },
    maxHeaderListPairs: 128,
  });
  server.on('session', (session) => {
    const keeper = new SessionKeeper(session, { limits, clock, logger });
    keepers.add(keeper);
    session.once('close', () => keepers.delete(keeper));
  });
  server.on('stream', (...request: unknown[]) => {
    // The fourth argument, which keeps every header in its place, is missing in the types.
    const [stream, , , rawHeaders] = request as [ServerHttp2Stream, unknown, unknown, readonly string[]];
    onStream(stream, rawHeaders);
  });
  server.on('sessionError', () => logger.debug('connection failed'));
  return server;
}

/** It does not listen itself, so Node watches no times of it: `LineKeeper` does, and whoever reads a body. */
function makeHttp1Server(
  { limits, clock, logger, onExchange }: ListenerOptions,
  keepers: Set<Keeper>,
): HttpServer {
  const server = createHttpServer({ maxHeaderSize: limits.headerBytesMax, keepAliveTimeout: 0 });
  const lines = new WeakMap<Socket, LineKeeper>();
  server.on('connection', (socket: Socket) => {
    const keeper = new LineKeeper(socket, { limits, clock });
    lines.set(socket, keeper);
    keepers.add(keeper);
    socket.once('close', () => keepers.delete(keeper));
  });
  server.on('request', (request, response) => {
    lines.get(request.socket)?.count(response);
    onExchange(exchangeOfHttp1(request, response, { limits, clock }));
  });
  server.on('clientError', (_error, socket) => {
    logger.debug('connection failed');
    socket.destroy();
  });
  return server;
}

function makeFront({ certificate, limits }: ListenerOptions): Server {
  if (certificate === undefined) return createTcpServer({ noDelay: true });
  try {
    return createTlsServer({
      cert: certificate.certificate,
      key: certificate.key,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: limits.tlsHandshakeMs,
      minVersion: 'TLSv1.2',
    });
  } catch (cause) {
    throw new SageMakerError('certificate_failed', { cause });
  }
}

/** Hands a connection in plain text to the server whose version of HTTP its first bytes speak. */
function tellApart(
  socket: Socket,
  { h2, h1, limits, clock, logger }: ListenerOptions & { readonly h2: Http2Server; readonly h1: HttpServer },
): void {
  let seen = Buffer.alloc(0);
  const cancel = clock.after(limits.connectionIdleMs, () => socket.destroy());
  socket.on('error', () => logger.debug('connection failed'));
  socket.once('close', cancel);
  // Taken out and put back, never left to flow: either server takes up what lies there.
  const look = (): void => {
    const chunk: unknown = socket.read();
    if (!(chunk instanceof Buffer)) return;
    seen = Buffer.concat([seen, chunk]);
    const begin = seen.toString('latin1', 0, PREFACE.length);
    if (begin.length < PREFACE.length && PREFACE.startsWith(begin)) return;
    cancel();
    socket.off('readable', look);
    socket.unshift(seen);
    (begin === PREFACE ? h2 : h1).emit('connection', socket);
  };
  socket.on('readable', look);
}

async function listening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(listenError(error));
    server.once('error', fail);
    server.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function listenError(cause: Error): SageMakerError {
  switch ('code' in cause ? cause.code : undefined) {
    case 'EADDRINUSE':
      return new SageMakerError('port_in_use', { cause });
    case 'EACCES':
      return new SageMakerError('port_forbidden', { cause });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new SageMakerError('address_unavailable', { cause });
    default:
      return new SageMakerError('listen_failed', { cause });
  }
}
