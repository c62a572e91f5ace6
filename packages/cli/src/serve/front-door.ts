import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  assertSafeToListen,
  HTTP_LIMITS,
  type ListenChoice,
  type RealtimeServer,
  ServerError,
} from '@kikitori/server';
import type { Admission, Listener } from '@kikitori/transport';
import { attachWebSockets } from '@kikitori/transport/ws';
import { CliError } from '../errors.js';

/** Where to listen, and whether that is safe. */
export interface DoorOptions extends ListenChoice {
  /** 0: any free one. */
  readonly port: number;
}

/**
 * The port, taken before there is a server behind it: loading a model takes seconds, fetching one minutes, and all
 * that while whoever watches over the process wants an answer from `/health` (503) instead of a refused connection.
 */
export interface FrontDoor {
  /** The port that was really taken. */
  readonly port: number;
  /** From now on everybody is led to this server. */
  lead(server: RealtimeServer): void;
  /** Stops listening and lets go of every connection that is left. Idempotent. */
  close(): Promise<void>;
}

/** What is answered while nobody is behind the door: try again soon. */
const NOT_YET = {
  accept: false,
  status: 503,
  headers: { 'content-type': 'application/json', 'retry-after': '5' },
  body: '{"error":"The model is still loading."}',
} as const satisfies Admission;

/** Listens. Rejects with `CliError`: `usage` for a port or address that cannot be had or is not safe, else `service_failed`. */
export async function openFrontDoor(options: DoorOptions): Promise<FrontDoor> {
  try {
    assertSafeToListen(options);
  } catch (error) {
    throw error instanceof ServerError ? new CliError('usage', error.message, { cause: error }) : error;
  }
  const door = new Door();
  await door.listen(options);
  return door;
}

class Door implements FrontDoor {
  readonly #http: Server;
  readonly #listener: Listener;
  #server: RealtimeServer | undefined;
  #closed: Promise<void> | undefined;

  constructor() {
    this.#http = createServer({
      maxHeaderSize: HTTP_LIMITS.headerBytesMax,
      headersTimeout: HTTP_LIMITS.headersTimeoutMs,
      // A whole request may take as long as an engine needs for a file; bodies that stop are cut where they are read.
      requestTimeout: 0,
      keepAliveTimeout: HTTP_LIMITS.keepAliveTimeoutMs,
      connectionsCheckingInterval: HTTP_LIMITS.headersTimeoutMs / 4,
    });
    this.#http.maxConnections = HTTP_LIMITS.connectionsMax;
    this.#http.on('request', (request, response) => this.#onRequest(request, response));
    this.#listener = attachWebSockets(this.#http, {
      admit: (handshake) => this.#server?.admit(handshake) ?? NOT_YET,
      onConnection: (connection, handshake) => this.#server?.onConnection(connection, handshake),
    });
  }

  get port(): number {
    const address = this.#http.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async listen({ host, port }: DoorOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', (error) => reject(listenFailure(error, host, port)));
      this.#http.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port }, resolve);
    });
  }

  lead(server: RealtimeServer): void {
    this.#server = server;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#listener.close();
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
      this.#http.closeAllConnections();
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (this.#server !== undefined) {
      this.#server.handleRequest(request, response);
      return;
    }
    response.writeHead(NOT_YET.status, { ...NOT_YET.headers, connection: 'close' }).end(NOT_YET.body);
  }
}

function listenFailure(error: Error, host: string, port: number): CliError {
  const cause = { cause: error };
  switch ('code' in error ? error.code : undefined) {
    case 'EADDRINUSE':
      return new CliError('usage', `Port ${port} is in use; choose another with --port.`, cause);
    case 'EACCES':
      return new CliError(
        'usage',
        `Port ${port} needs more rights; choose one above 1023 with --port.`,
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new CliError(
        'usage',
        `${host} is not an address of this machine; choose another with --host.`,
        cause,
      );
    default:
      return new CliError('service_failed', `Listening on ${host} port ${port} failed.`, cause);
  }
}
