import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Logger, silentLogger, timerMs } from '@kikitori/core';
import { TransportError } from '@kikitori/transport';
import {
  ConnectionShares,
  isLoopback,
  judgeOrigin,
  type OriginPolicy,
  originPolicy,
} from '@kikitori/transport/doors';
import { checkUpgrade, encodeRefusal, type HandshakeRefusal } from '@kikitori/transport/frames';
import { BridgeError, listenError } from './errors.js';
import { HealthProbe } from './http/health.js';
import { passModels } from './http/models.js';
import { DEFAULT_PATHS, type PathMap, upstreamUrl } from './http/paths.js';
import { parseUpstream, type Upstream } from './http/upstream.js';
import { Invocations } from './invocation/invocations.js';
import { BRIDGE_LIMITS, type BridgeLimits } from './limits.js';
import { emfLine } from './metrics/emf.js';
import { endedBy, isOrderly, type SessionRecord } from './session/record.js';
import { offeredProtocols, passedHeaders } from './session/request-headers.js';
import { Session } from './session/session.js';
import { Slab } from './wire/slab.js';
import { Wire } from './wire/wire.js';

/** What a bridge is made of. */
export interface BridgeOptions {
  /** `ws:` or `wss:` address of the Realtime server. */
  readonly upstream: string;
  /** Default: all addresses, as a SageMaker container must. */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Default: SageMaker's path and `/v1/realtime`, both to the path of `upstream`. */
  readonly paths?: PathMap;
  /** Path of the model server that `POST /invocations` leads to. Default: OpenAI's route for files, beside its `/v1/realtime`; false: none. */
  readonly invocations?: string | false | undefined;
  /** Origins of other sites whose pages may open sessions: `https://example.com`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Bounds that differ from `BRIDGE_LIMITS`. */
  readonly limits?: Partial<BridgeLimits>;
  /** Whether the model is still being loaded: then sessions that wait in vain are told so. Default: not known. */
  readonly isModelLoading?: () => boolean;
  readonly logger?: Logger;
  /** Gets session metrics in CloudWatch's Embedded Metric Format, a line at a time, without its end. Default: none. */
  readonly writeMetrics?: (line: string) => void;
}

/** Default of `host`. */
export const BRIDGE_HOST = '0.0.0.0';

/** What liveness is looked at in, as a share of the shortest silence allowed. */
const TICK_SHARE = 0.1;
const TICK_MS_MAX = 1_000;

/**
 * The container's process: takes WebSockets as SageMaker's sidecar opens them, leads each to the Realtime server, and
 * moves frames between the two. Also answers `/ping` from the server's `/health`. What it decides and why: docs/bridge.md.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #upstream: Upstream;
  readonly #paths: PathMap;
  readonly #origins: OriginPolicy;
  readonly #limits: BridgeLimits;
  readonly #logger: Logger;
  readonly #health: HealthProbe;
  readonly #slab = new Slab();
  readonly #sessions = new Set<Session>();
  readonly #invocations: Invocations | undefined;
  readonly #server: Server;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #draining: Promise<void> | undefined;
  readonly #onEmpty = new Set<() => void>();

  /** Throws `BridgeError` `invalid_option`. */
  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#upstream = parseUpstream(options.upstream);
    this.#paths = options.paths ?? DEFAULT_PATHS;
    this.#origins = policyFor(options);
    this.#limits = { ...BRIDGE_LIMITS, ...options.limits };
    this.#logger = options.logger ?? silentLogger;
    this.#health = new HealthProbe(this.#upstream, this.#limits);
    this.#invocations = this.#makeInvocations();
    const { headMs, sessionsMax, waitingMax, invocationMsMax } = this.#limits;
    const bounds = {
      maxHeaderSize: 16 * 1024,
      headersTimeout: headMs,
      requestTimeout: Math.max(headMs, invocationMsMax),
    };
    const connectionsCheckingInterval = Math.max(1, Math.floor(headMs / 4));
    this.#server = createServer({ ...bounds, keepAliveTimeout: 5_000, connectionsCheckingInterval });
    // SageMaker calls from one address: that has them all.
    const connectionsMax = sessionsMax + waitingMax;
    new ConnectionShares({
      connectionsMax,
      connectionsPerAddressMax: connectionsMax,
      waitingPerAddressMax: waitingMax,
    }).attach(this.#server);
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  /** Sessions that are running. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Files over HTTP on their way. */
  get invocationCount(): number {
    return this.#invocations?.count ?? 0;
  }

  /** Bytes that wait for a peer to take them, of all sessions: bounded by `heldBytesMax` and `unsentBytesMax` of each. */
  get waitingBytes(): number {
    return [...this.#sessions].reduce((sum, session) => sum + session.waitingBytes, 0);
  }

  /** Begins to listen. @returns The port. Rejects with `BridgeError` (`port_in_use`, …). */
  listen(): Promise<number> {
    const { host = BRIDGE_HOST, port } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(listenError(error, host, port));
      this.#server.once('error', onError);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', onError);
        const shortestMs = Math.min(this.#limits.upstreamSilenceMsMax, this.#limits.clientSilenceMsMax);
        const tickMs = Math.min(shortestMs * TICK_SHARE, TICK_MS_MAX);
        this.#ticker = setInterval(() => this.#tick(tickMs), timerMs(tickMs));
        // It listens on a host and port, so its address is one.
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /**
   * Lets nobody in any more, waits for live sessions until the deadline, closes what is left with 1012, and ends. Settles
   * when nothing is left. Idempotent: the first deadline counts.
   */
  drain(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#draining ??= this.#drain(options.deadlineMs ?? this.#limits.drainMs);
    return this.#draining;
  }

  /** Ends every session now. Idempotent. */
  async close(): Promise<void> {
    this.#draining ??= Promise.resolve();
    for (const session of this.#sessions) session.destroy();
    this.#invocations?.abort();
    await this.#stop();
    await this.#emptyWithin(this.#limits.closeTimeoutMs);
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { closeTimeoutMs } = this.#limits;
    this.#logger.info('draining', { sessions: this.#sessions.size, invocations: this.invocationCount });
    // Goodbyes take a little of the time; a cut line still ends within it.
    const isEmpty = await this.#emptyWithin(Math.max(deadlineMs - closeTimeoutMs, 0));
    if (!isEmpty) {
      for (const session of this.#sessions) session.drain();
      this.#invocations?.abort();
      if (!(await this.#emptyWithin(Math.min(closeTimeoutMs, deadlineMs)))) {
        for (const session of this.#sessions) session.destroy();
      }
    }
    await this.#stop();
  }

  #emptyWithin(delayMs: number): Promise<boolean> {
    if (this.#liveCount === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (isEmpty: boolean): void => {
        clearTimeout(timer);
        this.#onEmpty.delete(onEmpty);
        resolve(isEmpty);
      };
      const onEmpty = (): void => settle(true);
      const timer = setTimeout(() => settle(false), timerMs(delayMs));
      this.#onEmpty.add(onEmpty);
    });
  }

  async #stop(): Promise<void> {
    clearInterval(this.#ticker);
    this.#health.close();
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #tick(tickMs: number): void {
    for (const session of this.#sessions) session.tick(tickMs);
  }

  /** Sessions and files. */
  get #liveCount(): number {
    return this.#sessions.size + this.invocationCount;
  }

  #makeInvocations(): Invocations | undefined {
    const { invocations, isModelLoading = () => false, writeMetrics } = this.#options;
    if (invocations === false) return undefined;
    return new Invocations({
      upstream: this.#upstream,
      path: invocations,
      limits: this.#limits,
      logger: this.#logger,
      isModelLoading,
      writeMetrics,
      onOver: () => this.#noteEmpty(),
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const [path] = (request.url ?? '').split('?');
    if (path === '/invocations' && this.#invocations !== undefined) {
      const no = this.#foreignRefusal(request) ?? this.#busyRefusal();
      const refusal = no && { status: no.status, message: String(no.body ?? '') };
      // Never rejects.
      void this.#invocations.handle(request, response, refusal);
      return;
    }
    request.resume();
    const { method } = request;
    const asksFor = (wanted: string): boolean => path === wanted && method === 'GET';
    if ((path === '/ping' && (method === 'GET' || method === 'POST')) || asksFor('/health')) {
      // Never rejects.
      void this.#isServing().then((isServing) => response.writeHead(isServing ? 200 : 503).end());
    } else if (asksFor('/v1/models')) {
      this.#onModelsRequest(request, response);
    } else {
      answer(
        response,
        404,
        'Only WebSockets, /ping, /health, /v1/models and POST /invocations are served here; ask the model server for the rest.',
      );
    }
  }

  async #isServing(): Promise<boolean> {
    return this.#draining === undefined && (await this.#health.isReady());
  }

  /** What clients ask before a session: the model's name, and how much it takes at once. Changes nothing there. */
  #onModelsRequest(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#foreignRefusal(request);
    if (refusal !== undefined) answer(response, refusal.status, refusal.body);
    else if (this.#draining !== undefined) answer(response, 503, STOPPING);
    // Never rejects.
    else void passModels(this.#upstream, request, response, this.#limits);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path = '/', query = ''] = splitTarget(request.url ?? '/');
    const check = checkUpgrade(request);
    const refusal = check.isValid ? (this.#foreignRefusal(request) ?? this.#refusalFor(path)) : check.refusal;
    // Ours is a server of plain sockets.
    if (refusal !== undefined || !check.isValid || !(socket instanceof Socket)) {
      this.#refuse(socket, refusal ?? { status: 400 });
      return;
    }
    // Read before the line changes hands.
    const early: unknown = socket.readableLength > 0 ? socket.read() : undefined;
    const target = this.#paths.get(path);
    const session = new Session(Wire.accept(socket), {
      id: randomBytes(8).toString('hex'),
      path,
      limits: this.#limits,
      slab: this.#slab,
      isBinary: target?.isBinary ?? false,
      upstream: {
        url: upstreamUrl(this.#upstream.url, target?.path, query),
        headers: { ...this.#upstream.headers, ...passedHeaders(request.headers) },
        protocols: offeredProtocols(request.headers),
      },
      key: check.key,
      isUpstreamReady: () => this.#health.isReady(),
      isModelLoading: this.#options.isModelLoading ?? (() => false),
      onOver: (over, record) => this.#onOver(over, record),
    });
    this.#sessions.add(session);
    session.start(early instanceof Buffer ? Buffer.concat([head, early]) : head);
  }

  /**
   * The server's rules about pages, for who has no key either. In a container SageMaker calls by whatever name it likes:
   * there only who shows an `Origin` is judged, which browsers do at every WebSocket.
   */
  #foreignRefusal({ headers: { origin, host } }: IncomingMessage): HandshakeRefusal | undefined {
    if (origin === undefined && !this.#origins.isLoopback) return undefined;
    const verdict = judgeOrigin({ origin, host }, this.#origins);
    if (verdict === 'ok') return undefined;
    this.#logger.warn('refused', { reason: verdict });
    return { status: 403, body: FOREIGN[verdict] };
  }

  #refusalFor(path: string): HandshakeRefusal | undefined {
    if (!this.#paths.has(path)) return { status: 404, body: 'No WebSocket is served on this path.' };
    return this.#busyRefusal();
  }

  #busyRefusal(): HandshakeRefusal | undefined {
    const retry = { 'Retry-After': '5' };
    if (this.#draining !== undefined) return { status: 503, headers: retry, body: STOPPING };
    const isFull = this.#liveCount >= this.#limits.sessionsMax;
    return isFull ? { status: 503, headers: retry, body: 'Too many sessions; try again later.' } : undefined;
  }

  #refuse(socket: Duplex, refusal: HandshakeRefusal): void {
    const timer = setTimeout(() => socket.destroy(), timerMs(this.#limits.refusalTimeoutMs));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => clearTimeout(timer));
    // The peer may still be sending: unread bytes would turn our end into a reset that swallows the answer.
    socket.resume();
    socket.end(encodeRefusal(refusal));
  }

  #onOver(session: Session, record: SessionRecord): void {
    this.#sessions.delete(session);
    this.#log(record);
    this.#options.writeMetrics?.(
      emfLine(record, { sessionsActive: this.#sessions.size, unixMs: Date.now() }),
    );
    this.#noteEmpty();
  }

  #noteEmpty(): void {
    if (this.#liveCount > 0) return;
    for (const onEmpty of this.#onEmpty) onEmpty();
  }

  #log(record: SessionRecord): void {
    const { reason, fromClient, fromUpstream } = record;
    const ms = (value: number | undefined) => (value === undefined ? undefined : Math.round(value));
    this.#logger[isOrderly(reason) ? 'info' : 'warn']('session ended', {
      session: record.id,
      path: record.path,
      reason,
      ended_by: endedBy(reason),
      duration_ms: ms(record.durationMs),
      upstream_open_ms: ms(record.upstreamOpenMs),
      first_message_ms: ms(record.firstMessageMs),
      refused_status: record.refusedStatus,
      client_messages: fromClient.messages,
      client_bytes: fromClient.payloadBytes,
      upstream_messages: fromUpstream.messages,
      upstream_bytes: fromUpstream.payloadBytes,
      client_close: record.clientCloseCode,
      client_told: record.clientToldCode,
      upstream_close: record.upstreamCloseCode,
      upstream_told: record.upstreamToldCode,
    });
  }
}

/** Makes a bridge; `listen` starts it. Throws `BridgeError` `invalid_option`. */
export function createBridge(options: BridgeOptions): Bridge {
  return new Bridge(options);
}

const STOPPING = 'The bridge is stopping.';

const FOREIGN = {
  foreign_origin:
    'Pages of this origin may not use this bridge; its operator can allow them with --allow-origin.',
  foreign_host:
    'This bridge is not called by that name; use its address, or allow the name with --allow-origin.',
} as const;

function policyFor({ host = BRIDGE_HOST, allowedOrigins }: BridgeOptions): OriginPolicy {
  try {
    const origins = allowedOrigins === undefined ? {} : { allowedOrigins };
    return originPolicy({ ...origins, isLoopback: isLoopback(host), isGuarded: false });
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw new BridgeError('invalid_option', cause.message, { cause });
  }
}

function answer(response: ServerResponse, status: number, text: string | Uint8Array = ''): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}

function splitTarget(target: string): [string, string] {
  const at = target.indexOf('?');
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}
