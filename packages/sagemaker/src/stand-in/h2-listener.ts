import {
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock, Logger } from '@kikitori/core';
import { SageMakerError } from '../errors.js';
import type { ServerCertificate } from './certificate.js';
import type { StandInLimits } from './limits.js';

/** What a listener needs. */
export interface H2ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: h2c. */
  readonly certificate: ServerCertificate | undefined;
  readonly limits: StandInLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for every request; must not throw. */
  readonly onStream: (stream: ServerHttp2Stream, rawHeaders: readonly string[]) => void;
}

/** An HTTP/2 server that listens. */
export interface H2Listener {
  /** The port that was really taken. */
  readonly port: number;
  /** Open TCP connections. */
  readonly connectionCount: number;
  /** Takes no new connections, and lets go of each one when its last stream ends. */
  stop(): void;
  /** Cuts every connection; resolves when nothing is left. */
  destroy(): Promise<void>;
}

/**
 * Listens for HTTP/2, over TLS with ALPN h2 and nothing else, or in plain text.
 *
 * @throws SageMakerError `port_in_use`, `port_forbidden`, `address_unavailable`, `listen_failed`, `certificate_failed`
 */
export async function listenH2(options: H2ListenerOptions): Promise<H2Listener> {
  const { host, port, limits, logger, onStream } = options;
  const server = createH2Server(options);
  const sockets = new Set<Socket>();
  const sessions = new Set<SessionKeeper>();
  server.maxConnections = limits.connectionsMax;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Frames are small, and each one is waited for.
    socket.setNoDelay(true);
  });
  server.on('session', (session) => {
    const keeper = new SessionKeeper(session, options);
    sessions.add(keeper);
    session.once('close', () => sessions.delete(keeper));
  });
  server.on('stream', (...request: unknown[]) => {
    // The fourth argument, which keeps every header in its place, is missing in the types.
    const [stream, , , rawHeaders] = request as [ServerHttp2Stream, unknown, unknown, readonly string[]];
    onStream(stream, rawHeaders);
  });
  server.on('sessionError', () => logger.debug('connection failed'));
  server.on('tlsClientError', () => logger.debug('TLS handshake failed'));
  await listening(server, { host, port });
  server.on('error', () => logger.error('listening socket failed'));
  let stopped: Promise<void> | undefined;
  const stopListening = (): Promise<void> => {
    stopped ??= new Promise((resolve) => server.close(() => resolve()));
    return stopped;
  };
  return {
    // A TCP server that listens has an address object.
    port: (server.address() as AddressInfo).port,
    get connectionCount() {
      return sockets.size;
    },
    stop: () => {
      // `destroy`, which always follows, waits for it.
      void stopListening();
      for (const keeper of sessions) keeper.retire();
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

function createH2Server({ certificate, limits }: H2ListenerOptions): Http2Server {
  // What all streams of a connection may have waiting; Node's own bound is 10, and refuses streams above it.
  const waitingBytes = limits.streamsPerConnectionMax * limits.clientHighWaterBytes + limits.frameBytesMax;
  const shared = {
    maxSessionMemory: Math.ceil(waitingBytes / MIB),
    settings: {
      initialWindowSize: limits.streamWindowBytes,
      maxConcurrentStreams: limits.streamsPerConnectionMax,
      maxHeaderListSize: limits.headerBytesMax,
    },
    maxHeaderListPairs: 128,
  };
  if (certificate === undefined) return createServer(shared);
  try {
    return createSecureServer({
      ...shared,
      cert: certificate.certificate,
      key: certificate.key,
      ALPNProtocols: ['h2'],
      allowHTTP1: false,
      handshakeTimeout: limits.tlsHandshakeMs,
      minVersion: 'TLSv1.2',
    });
  } catch (cause) {
    throw new SageMakerError('certificate_failed', { cause });
  }
}

/**
 * Keeps one connection as long as it carries streams. The official client says GOAWAY right after the response headers
 * and goes on streaming; Node answers a GOAWAY with `session.close()`, which says GOAWAY back, and older clients take
 * that for the end. So `close` waits here until no stream is left.
 */
class SessionKeeper {
  readonly #session: ServerHttp2Session;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #close: () => void;
  #streamCount = 0;
  #isRetired = false;
  #cancelIdle: () => void = () => undefined;

  constructor(session: ServerHttp2Session, { clock, limits, logger }: H2ListenerOptions) {
    this.#session = session;
    this.#clock = clock;
    this.#idleMs = limits.connectionIdleMs;
    this.#close = session.close.bind(session);
    session.close = () => this.retire();
    session.on('error', () => logger.debug('connection failed'));
    session.on('stream', (stream) => this.#count(stream));
    session.once('close', () => this.#cancelIdle());
    this.#watchIdle();
  }

  /** Closes the connection as soon as it carries no stream. */
  retire(): void {
    this.#isRetired = true;
    if (this.#streamCount === 0) this.#close();
  }

  #count(stream: ServerHttp2Stream): void {
    this.#streamCount += 1;
    this.#cancelIdle();
    stream.once('close', () => {
      this.#streamCount -= 1;
      if (this.#streamCount > 0) return;
      if (this.#isRetired) this.#close();
      else this.#watchIdle();
    });
  }

  #watchIdle(): void {
    this.#cancelIdle = this.#clock.after(this.#idleMs, () => this.#session.destroy());
  }
}

async function listening(
  server: Http2Server,
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
