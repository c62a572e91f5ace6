import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { silentLogger, systemClock } from '@kikitori/core';
import type { EngineInfo, SpeechEngine } from '@kikitori/engine';
import type { Listen, Listener } from '@kikitori/transport';
import { ConnectionShares, isLoopback } from '@kikitori/transport/doors';
import { assertSafeToListen } from './auth.js';
import { Door, type ModelFetch } from './door.js';
import { Doorman } from './doors/doorman.js';
import { ServerError } from './errors.js';
import type { Pages } from './http/pages.js';
import { HTTP_LIMITS, type HttpLimits, TLS_LIMITS } from './limits.js';
import { listenError } from './listen-error.js';
import { reachableHosts } from './reachable-hosts.js';
import { createRealtimeServer, type ServerSurroundings } from './server.js';
import { readTlsFiles, type TlsFiles, watchTlsFiles } from './tls-files.js';
import { type WyomingAddress, WyomingSide } from './wyoming/wyoming-side.js';

/** What a server that listens is made of. */
export interface StartServerOptions extends ServerSurroundings, ListenOptions, PendingEngine {}

/** An engine that may still be on its way. */
export interface PendingEngine {
  /**
   * Stays the caller's: it is not closed here. While it is a promise that is not settled the port is taken and
   * everybody hears 503: loading a model takes seconds, fetching one minutes, and all that while whoever watches over
   * the process wants an answer from `/health` instead of a refused connection.
   */
  readonly engine: SpeechEngine | Promise<SpeechEngine>;
  /** How far the model is fetched, for the page; undefined while it is loaded. Default: nothing is fetched. */
  readonly fetching?: () => ModelFetch | undefined;
}

/** Where to listen, and how. */
export interface ListenOptions {
  /** Accepts WebSockets on the HTTP server, such as `attachWebSockets`. */
  readonly attach: Listen<HttpServer>;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8000; 0: any free one. */
  readonly port?: number;
  /** Listen on a public address without an API key. Default false. */
  readonly insecure?: boolean;
  /** Speaks TLS (1.2 and up) with these files, read again when they change. Default: plain HTTP. */
  readonly tls?: TlsFiles;
  /** Files for browsers, served from the first moment on, model or not. Default: none. */
  readonly pages?: Pages;
  /** Speaks Wyoming over TCP too, at this address: for Home Assistant. Default: no. */
  readonly wyoming?: WyomingAddress;
  /** Ends the wait for the port; the server is closed again then. */
  readonly signal?: AbortSignal;
}

/** A server that listens. */
export interface RunningServer {
  readonly host: string;
  /** The port that was really taken. */
  readonly port: number;
  /** `http://host:port`, with TLS `https://host:port` */
  readonly url: string;
  /** Where Wyoming is spoken, if it is. */
  readonly wyoming: WyomingAddress | undefined;
  readonly sessionCount: number;
  /**
   * Settles once sessions are let in; rejects with what the promise of the engine rejected with, and then everybody
   * hears 503 until `close`. Need not be awaited.
   */
  readonly ready: Promise<void>;
  /**
   * For SIGTERM: refuses new sessions (503), answers running utterances and files within the deadline, closes each
   * session with 1012, then stops listening. Idempotent.
   */
  drain(options?: { readonly deadlineMs?: number }): Promise<void>;
  /** Ends everything now and stops listening; no handle is left. Idempotent. */
  close(): Promise<void>;
}

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 8000;

/**
 * Makes an HTTP server, attaches WebSockets to it and listens.
 *
 * @throws ServerError `unsafe_address`, `port_in_use`, `port_forbidden`, `address_unavailable`, `listen_failed`,
 * `invalid_option`; or the signal's reason
 */
export async function startServer(given: StartServerOptions): Promise<RunningServer> {
  const { attach, host = DEFAULT_HOST, port = DEFAULT_PORT, insecure = false, signal } = given;
  signal?.throwIfAborted();
  let addresses: readonly string[] = [];
  const options = { isLoopback: isLoopback(host), addresses: () => addresses, ...given };
  const doorman = new Doorman(options, options.clock ?? systemClock);
  const { authenticator, proxies } = doorman;
  const { isGuarded } = authenticator;
  assertSafeToListen({ host, isGuarded, insecure });
  const clock = options.clock ?? systemClock;
  const wyoming = given.wyoming && new WyomingSide({ at: given.wyoming, isGuarded, insecure, clock });
  const served = { ...options, keySources: [...(options.keySources ?? []), ...(wyoming?.keySources ?? [])] };
  const secure = options.tls === undefined ? undefined : await readTlsFiles(options.tls, clock.unixMs());
  const door = new Door(doorman, options);
  let engineInfo: EngineInfo | undefined;
  const lead = (engine: SpeechEngine): void => {
    engineInfo = engine.info;
    door.lead(createRealtimeServer({ ...served, engine }));
  };
  if (!(options.engine instanceof Promise)) lead(options.engine);
  const httpLimits = { ...HTTP_LIMITS, ...options.httpLimits };
  const http = createHttpServer(httpLimits, secure);
  new ConnectionShares(httpLimits, proxies).attach(http);
  http.on('request', (request, response) => {
    if (options.pages?.handle(request, response) !== true) door.handleRequest(request, response);
  });
  const listener = attach(http, door);
  const unwatch = followTlsFiles(http, options);
  const stop = createStop({ http, listener, unwatch, wyoming });
  try {
    await listen(http, { host, port });
    await wyoming?.listen({ ...options, handlers: door, engineInfo: () => engineInfo });
    signal?.throwIfAborted();
  } catch (error) {
    await stop();
    throw error;
  }
  const taken = portOf(http);
  const scheme = secure === undefined ? 'http' : 'https';
  addresses = reachableHosts(host).map((each) => `${scheme}://${each}:${taken}`);
  return {
    host,
    port: taken,
    url: `${scheme}://${host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host}:${taken}`,
    get sessionCount() {
      return door.server?.sessionCount ?? 0;
    },
    wyoming: wyoming?.address,
    ready: leadOnceReady(options.engine, lead),
    drain: async (drainOptions) => {
      await door.server?.drain(drainOptions);
      await stop();
    },
    close: async () => {
      await door.server?.close();
      wyoming?.destroy();
      await stop();
    },
  };
}

function leadOnceReady(
  engine: SpeechEngine | Promise<SpeechEngine>,
  lead: (engine: SpeechEngine) => void,
): Promise<void> {
  const ready = engine instanceof Promise ? engine.then(lead) : Promise.resolve();
  // Whoever does not await it hears of it by the 503.
  ready.catch(() => undefined);
  return ready;
}

function createHttpServer(
  limits: HttpLimits,
  secure: SecureContextOptions | undefined,
): HttpServer | HttpsServer {
  const options = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    // A whole request may take as long as an engine needs for a file; bodies that stop are cut where they are read.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.max(1, Math.floor(limits.headersTimeoutMs / 4)),
  };
  return secure === undefined
    ? createServer(options)
    : createHttpsServer({ ...options, ...secure, handshakeTimeout: TLS_LIMITS.handshakeMs });
}

/** Follows changes of certificate and key; answers how to stop. */
function followTlsFiles(http: HttpServer | HttpsServer, options: StartServerOptions): () => void {
  const { tls, logger = silentLogger, clock = systemClock } = options;
  if (tls === undefined || !('setSecureContext' in http)) return () => undefined;
  return watchTlsFiles(tls, {
    logger,
    unixMs: () => clock.unixMs(),
    apply: (context) => http.setSecureContext(context),
  });
}

async function listen(
  http: HttpServer | HttpsServer,
  { host, port }: { host: string; port: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error) => reject(listenError(error, { host, port, option: '--port' })));
    try {
      http.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port }, resolve);
    } catch (error) {
      reject(
        new ServerError('invalid_option', 'A port is a whole number from 0 to 65535.', { cause: error }),
      );
    }
  });
}

/** What listens, or watches. */
interface Running {
  readonly http: HttpServer | HttpsServer;
  readonly listener: Listener;
  readonly unwatch: () => void;
  readonly wyoming: WyomingSide | undefined;
}

/** Stops listening and lets go of every connection that is left; once. */
function createStop({ http, listener, unwatch, wyoming }: Running): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    unwatch();
    await listener.close();
    await wyoming?.close();
    await new Promise<void>((resolve) => {
      // The error of a server that never listened is no news.
      http.close(() => resolve());
      http.closeAllConnections();
    });
  };
  return () => {
    stopped ??= stop();
    return stopped;
  };
}

function portOf(http: HttpServer | HttpsServer): number {
  // A TCP server that listens has an address object.
  return (http.address() as AddressInfo).port;
}
