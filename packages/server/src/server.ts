import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Logger, silentLogger, systemClock } from '@kikitori/core';
import { machineShare, type SpeechEngine } from '@kikitori/engine';
import type { Admission, Connection, Handshake, ListenHandlers } from '@kikitori/transport';
import type { Dialect, DialectRequest } from './dialects/dialect.js';
import { DIALECTS, dialectOf } from './dialects/registry.js';
import type { Caller } from './doors/authenticator.js';
import { clientSecretsHandler } from './doors/client-secrets.js';
import { headerCredential, plainProtocols } from './doors/credentials.js';
import { Doorman, type DoorOptions, type DoorRefusal, refusalHeaders } from './doors/doorman.js';
import { EngineHost } from './engine-host.js';
import { type HttpError, ServerError } from './errors.js';
import { send, sendJson } from './http/answers.js';
import { pageInfoRoutes } from './http/page-info.js';
import { type Missing, sendReadiness } from './http/readiness.js';
import { createRouter, empty, type Route } from './http/router.js';
import { UNKNOWN_PATH } from './http/unknown-path.js';
import { UploadShares } from './http/upload-shares.js';
import {
  CAPTIONS_LIMITS,
  type CaptionsLimits,
  DRAIN_DEADLINE_MS,
  HTTP_LIMITS,
  type HttpLimits,
  queuedAudioMsOf,
  RETRY_AFTER_S,
  SESSION_LIMITS,
  type SessionLimits,
} from './limits.js';
import { createMetrics, type RefusalReason, type ServerMetrics } from './metrics.js';
import { type Place, Places } from './places.js';
import type { Claimed } from './session/serve-connection.js';
import type { HostedSession, SessionHost } from './session-host.js';
import { captionRoutes } from './shared-captions/caption-routes.js';
import { CaptionsHub } from './shared-captions/captions-hub.js';
import type { Upstream } from './upstream.js';
import { packageVersion } from './version.js';

/** What every server may be told. */
export interface ServerSurroundings extends DoorOptions {
  /** Served model names, the default one first. Default: the engine's own. */
  readonly models?: readonly string[];
  /** Bounds that differ from `SESSION_LIMITS`. */
  readonly limits?: Partial<SessionLimits>;
  /** Bounds that differ from `HTTP_LIMITS`. */
  readonly httpLimits?: Partial<HttpLimits>;
  /** Bounds that differ from `CAPTIONS_LIMITS`. */
  readonly captionsLimits?: Partial<CaptionsLimits>;
  /** What clients may speak. Default: every dialect of `dialects/registry.ts`. */
  readonly dialects?: readonly Dialect[];
  readonly logger?: Logger;
  readonly clock?: Clock;
  /**
   * Where others find this server, such as `http://192.168.0.5:8000`, the likeliest first: told to whoever opens a share of captions,
   * for the link. Asked each time. Default: nowhere that is known.
   */
  readonly addresses?: () => readonly string[];
  /** The model server behind the engine, where there is one. Default: the engine is all there is. */
  readonly upstream?: Upstream;
  /** What `GET /version` says. Default: the version of this package. */
  readonly version?: string;
}

/** What a server is made of. */
export interface RealtimeServerOptions extends ServerSurroundings {
  /** Answers sessions and files. Stays the caller's: it is not closed here. */
  readonly engine: SpeechEngine;
}

/** A server without a socket: whoever has one hands over handshakes, connections and HTTP requests. */
export interface RealtimeServer extends ListenHandlers {
  /** A request listener for `node:http`. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  /** True when it takes a key to enter. */
  readonly isGuarded: boolean;
  /** Realtime sessions that are running. */
  readonly sessionCount: number;
  /**
   * Lets nobody in any more, answers running utterances and files, then closes each session with 1012. Whatever is
   * left at the deadline is destroyed. Settles when nothing is left. Idempotent: the first deadline counts.
   */
  drain(options?: { readonly deadlineMs?: number }): Promise<void>;
  /** Ends every session and file now. Idempotent. */
  close(): Promise<void>;
}

/** Somebody who was let in. */
interface Admitted {
  readonly dialect: Dialect;
  readonly caller: Caller;
  /** Under which name the doorman counts its quick ends. */
  readonly client: string;
}

/** Why nobody is let in who could be otherwise. */
type FullReason = Extract<RefusalReason, 'draining' | 'busy' | 'upstream'>;

/** Closing takes a little of the deadline: the close frame has to be answered. */
const CLOSING_SHARE = 0.2;
const CLOSING_MS_MAX = 1_000;

/** Makes a server. Nothing runs until something is handed over. Throws `ServerError` `invalid_option`. */
export function createRealtimeServer(options: RealtimeServerOptions): RealtimeServer {
  return new Server(options);
}

class Server implements RealtimeServer {
  readonly handleRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly #host: SessionHost;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #version: string;
  readonly #upstream: Upstream | undefined;
  readonly #doorman: Doorman;
  readonly #dialects: readonly Dialect[];
  /** What is known of a handshake that was let in, until its connection is there. */
  readonly #admitted = new WeakMap<Handshake, Admitted>();
  readonly #metrics: ServerMetrics;
  readonly #places: Places;
  readonly #uploads: UploadShares;
  readonly #captions: CaptionsHub;
  readonly #sessions = new Set<HostedSession>();
  #draining: Promise<void> | undefined;

  constructor(options: RealtimeServerOptions) {
    if (options.models?.length === 0) {
      throw new ServerError('invalid_option', 'A server needs at least one model name.');
    }
    this.#dialects = options.dialects ?? DIALECTS;
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.#version = options.version ?? packageVersion();
    this.#upstream = options.upstream;
    this.#doorman = new Doorman(options, this.#clock);
    this.#metrics = createMetrics({
      audioLagS: () => this.#audioLagS(),
      areKeysCurrent: () => this.#doorman.areKeysCurrent,
      upstream: options.upstream,
    });
    const httpLimits = { ...HTTP_LIMITS, ...options.httpLimits };
    this.#uploads = new UploadShares(httpLimits);
    this.#host = this.#hostOf(options, httpLimits);
    const { placesMax } = this.#host;
    this.#places = new Places(placesMax, (taken) => this.#metrics.sessionsActive.set(taken));
    this.#metrics.sessionsMax.set(placesMax);
    const captionsLimits = { ...CAPTIONS_LIMITS, ...options.captionsLimits };
    const ofCaptions = { clock: this.#clock, limits: captionsLimits, metrics: this.#metrics.captions };
    this.#captions = new CaptionsHub(ofCaptions);
    this.handleRequest = createRouter({
      routes: {
        ...this.#routes(),
        ...this.#host.routes,
        ...this.#pageInfoRoutes(options),
        ...captionRoutes({
          ...ofCaptions,
          hub: this.#captions,
          addresses: options.addresses ?? (() => []),
          ownerOf: (request) => this.#ownerOf(request),
        }),
      },
      doorman: this.#doorman,
      onRefused: ({ reason }) => this.#refuse(reason),
      onError: (error) => this.#logFailure('A request failed.', error),
    });
  }

  get isGuarded(): boolean {
    return this.#doorman.authenticator.isGuarded;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  admit(handshake: Handshake): Admission {
    const request: DialectRequest = handshake;
    const dialect = dialectOf(this.#dialects, request);
    if (dialect === undefined) {
      this.#refuse('path');
      return UNKNOWN_PATH;
    }
    const { credential = headerCredential(handshake.headers), protocol } = dialect.greet(request);
    const verdict = this.#doorman.judge({ ...handshake, credential });
    if ('refusal' in verdict) return this.#refuseKnock(dialect, verdict.refusal);
    const { caller } = verdict;
    const client = this.#doorman.clientOf(handshake, caller);
    const busy = this.#doorman.whyKeyFull(caller) ?? this.#doorman.whyHeldUp(client);
    if (busy !== undefined) return this.#refuseKnock(dialect, busy);
    const reason = this.#whyFull();
    if (reason === undefined) {
      this.#admitted.set(handshake, { dialect, caller, client });
      const isPlain = protocol !== undefined && plainProtocols(handshake.protocols).includes(protocol);
      return { accept: true, ...(isPlain ? { protocol } : {}) };
    }
    this.#refuse(reason);
    const { status, message } = this.#fullError(reason);
    const { headers, body } = dialect.refuse({ status, message });
    const retry = reason === 'busy' ? { 'retry-after': String(RETRY_AFTER_S) } : {};
    return { accept: false, status, headers: { ...headers, ...retry }, body };
  }

  onConnection(connection: Connection, handshake: Handshake): void {
    const admitted = this.#admitted.get(handshake);
    const place = admitted === undefined ? undefined : this.#placeFor(admitted.caller);
    if (admitted === undefined || place === undefined) {
      this.#refuse('busy');
      connection.close(1013, 'Every recogniser is taken.').catch(() => connection.destroy());
      return;
    }
    const leaveKey = this.#doorman.count(admitted.caller);
    const leave = (): void => {
      place.free();
      leaveKey();
    };
    const session = this.#start(connection, { dialect: admitted.dialect, request: handshake }, leave);
    if (session === undefined) return;
    this.#sessions.add(session);
    this.#metrics.connectionsActive.inc();
    this.#metrics.connectionsTotal.inc();
    void session.ended.then((end) => {
      leave();
      this.#doorman.noteEnd(admitted.client, end);
      this.#sessions.delete(session);
      this.#metrics.connectionsActive.dec();
      this.#metrics.connectionDurationS.observe(end.durationMs / 1000);
    });
  }

  /** Not taken in `admit`: a handshake that is let in can still fail. */
  #placeFor(caller: Caller): Place | undefined {
    const isFull = this.#whyFull() !== undefined || this.#doorman.whyKeyFull(caller) !== undefined;
    return isFull ? undefined : this.#places.take();
  }

  /** A session that could not begin is over: it leaves its place. */
  #start(connection: Connection, claimed: Claimed, leave: () => void): HostedSession | undefined {
    try {
      return this.#host.startSession(connection, claimed);
    } catch (error) {
      leave();
      this.#logFailure('A session could not begin.', error);
      connection.close(1011, 'internal error').catch(() => connection.destroy());
      return undefined;
    }
  }

  drain({ deadlineMs = DRAIN_DEADLINE_MS }: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#draining ??= this.#drain(deadlineMs);
    return this.#draining;
  }

  async close(): Promise<void> {
    this.#draining ??= Promise.resolve();
    this.#destroyAll();
    this.#captions.close();
    await this.#idle();
    await this.#draining;
  }

  async #drain(deadlineMs: number): Promise<void> {
    const closingMs = Math.min(CLOSING_MS_MAX, deadlineMs * CLOSING_SHARE);
    for (const session of this.#sessions) session.drain(deadlineMs - closingMs);
    const cancel = this.#clock.after(deadlineMs, () => this.#destroyAll());
    await this.#idle();
    // Not before: the last words are still to be published and read.
    this.#captions.close();
    cancel();
  }

  #destroyAll(): void {
    this.#host.abort();
    for (const session of [...this.#sessions]) session.destroy();
  }

  async #idle(): Promise<void> {
    await Promise.all([this.#host.idle(), ...[...this.#sessions].map(({ ended }) => ended)]);
  }

  #hostOf(options: RealtimeServerOptions, httpLimits: HttpLimits): SessionHost {
    const limits = { ...SESSION_LIMITS, ...options.limits };
    const own = { limits, clock: this.#clock, logger: this.#logger, metrics: this.#metrics };
    const { engine, models = [engine.info.model], upstream } = options;
    const queuedAudioMsMax = queuedAudioMsOf(machineShare().memoryBytes, engine.info.streamsMax);
    return new EngineHost({
      ...own,
      limits: { ...SESSION_LIMITS, queuedAudioMsMax, ...options.limits },
      engine,
      models,
      upstream,
      dialects: this.#dialects,
      httpLimits,
      enterUpload: (request) => this.#enterUpload(request),
      takePlace: () => this.#takePlace(),
    });
  }

  #routes(): Readonly<Record<string, Route>> {
    const health = (_request: IncomingMessage, response: ServerResponse): void =>
      empty(response, this.#isHealthy ? 200 : 503);
    const json =
      (status: number, body: () => unknown) => (_request: IncomingMessage, response: ServerResponse) =>
        sendJson(response, status, body());
    return {
      '/health': { guarded: false, methods: { GET: health } },
      '/ping': { guarded: false, methods: { GET: health, POST: health } },
      '/ready': {
        guarded: false,
        methods: { GET: (_request, response) => sendReadiness(response, this.#whatIsMissing()) },
      },
      '/version': { guarded: true, methods: { GET: json(200, () => ({ version: this.#version })) } },
      '/v1/realtime/client_secrets': {
        guarded: 'key',
        methods: { POST: clientSecretsHandler(this.#doorman.authenticator, this.#clock) },
      },
      '/v1/realtime/transcription_sessions': {
        guarded: 'key',
        methods: { POST: clientSecretsHandler(this.#doorman.authenticator, this.#clock, { beta: true }) },
      },
      '/metrics': { guarded: 'key', methods: { GET: (_request, response) => this.#scrape(response) } },
    };
  }

  #pageInfoRoutes(options: RealtimeServerOptions): Readonly<Record<string, Route>> {
    const limits = { ...SESSION_LIMITS, ...options.limits };
    const { models, engine, upstream } = options;
    return pageInfoRoutes({
      engine,
      upstream,
      models,
      isGuarded: this.isGuarded,
      placesMax: this.#places.max,
      limits,
    });
  }

  async #scrape(response: ServerResponse): Promise<void> {
    const { registry } = this.#metrics;
    send(response, 200, await registry.metrics(), { 'content-type': registry.contentType });
  }

  get #isHealthy(): boolean {
    return this.#draining === undefined && !this.#host.isGone && this.#upstream?.missing === undefined;
  }

  /** Why no session would be let in at this moment. */
  #whatIsMissing(): Missing | undefined {
    if (this.#host.isGone) {
      return { code: 'engine', message: 'The engine is closed. Start the server again.' };
    }
    const reason = this.#whyFull();
    return reason === undefined ? undefined : { code: reason, message: this.#fullError(reason).message };
  }

  /** An upload is one of its key's sessions all the while, and has a share of the disk; a place only while it is decoded. */
  #enterUpload(request: IncomingMessage): Place | HttpError {
    const full = this.#whyFull();
    if (full !== undefined) {
      this.#refuse(full);
      return this.#fullError(full);
    }
    const caller = this.#doorman.authenticator.identify(headerCredential(request.headers));
    const keyFull = caller === undefined ? undefined : this.#doorman.whyKeyFull(caller);
    if (keyFull !== undefined) {
      this.#refuse(keyFull.reason);
      return { status: keyFull.status, message: keyFull.message };
    }
    const share = this.#uploads.take(this.#ownerOf(request));
    if (!('free' in share)) {
      this.#refuse('busy');
      return share;
    }
    const leaveKey = caller === undefined ? undefined : this.#doorman.count(caller);
    let isIn = true;
    return {
      free: () => {
        if (!isIn) return;
        isIn = false;
        share.free();
        leaveKey?.();
      },
    };
  }

  #takePlace(): Place | HttpError {
    const reason = this.#whyFull();
    const place = reason === undefined ? this.#places.take() : undefined;
    if (place !== undefined) return place;
    this.#refuse(reason ?? 'busy');
    return this.#fullError(reason ?? 'busy');
  }

  #whyFull(): FullReason | undefined {
    if (this.#draining !== undefined) return 'draining';
    if (this.#upstream?.missing !== undefined) return 'upstream';
    return this.#places.isFull ? 'busy' : undefined;
  }

  #fullError(reason: FullReason): HttpError {
    return { status: 503, message: this.#fullMessage(reason) };
  }

  #fullMessage(reason: FullReason): string {
    switch (reason) {
      case 'draining':
        return 'The server is going down. Connect to another one, or try again later.';
      case 'upstream':
        return this.#upstream?.missing ?? 'The model server was away for a moment. Try again.';
      case 'busy':
        return `All ${this.#places.max} places of this server are taken. Try again in ${RETRY_AFTER_S} seconds, or connect to another server.`;
    }
  }

  /** Whose shares are counted: those of a key, its tokens included, or of an address where there are no keys. */
  #ownerOf({ headers, socket }: IncomingMessage): string {
    const key = this.#doorman.authenticator.identify(headerCredential(headers))?.key;
    return key === undefined
      ? `address ${this.#doorman.addressOf({ headers, remoteAddress: socket.remoteAddress ?? '' })}`
      : `key ${key.name}`;
  }

  #refuseKnock(dialect: Dialect, refusal: DoorRefusal): Admission {
    this.#refuse(refusal.reason);
    const { headers, body } = dialect.refuse(refusal);
    return {
      accept: false,
      status: refusal.status,
      headers: { ...headers, ...refusalHeaders(refusal) },
      body,
    };
  }

  #refuse(reason: RefusalReason): void {
    this.#metrics.refused.inc({ reason });
    this.#logger.debug('Refused.', { reason });
  }

  #audioLagS(): number {
    return Math.max(0, ...[...this.#sessions].map(({ backlogMs }) => backlogMs)) / 1000;
  }

  #logFailure(message: string, error: unknown): void {
    this.#logger.error(message, { stack: error instanceof Error ? error.stack : undefined });
  }
}
