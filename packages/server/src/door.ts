import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission, Connection, Handshake, ListenHandlers } from '@kikitori/transport';
import type { Doorman } from './doors/doorman.js';
import type { HttpError } from './errors.js';
import { errorBody, errorMembers, sendError, sendJson } from './http/answers.js';
import { greetOrigin } from './http/cross-origin.js';
import { sendReadiness } from './http/readiness.js';
import { pathOf } from './http/router.js';
import { RETRY_SOON_S } from './limits.js';
import type { RealtimeServer } from './server.js';
import type { Upstream } from './upstream.js';

const LOADING = 'The model is still loading. Try again in a moment.';

/** How far a model that is not here yet has been fetched. */
export interface ModelFetch {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** What is not there yet. */
export interface PendingModel {
  /** How far it was fetched; undefined while nothing is fetched, but loaded. */
  readonly fetching?: () => ModelFetch | undefined;
  /** The model server that is waited for, where it is one. */
  readonly upstream?: Upstream;
}

/** Where everybody knocks: leads them to the server once there is one; until then they are told to come back. */
export class Door implements ListenHandlers {
  readonly #doorman: Doorman;
  readonly #pending: PendingModel;
  #server: RealtimeServer | undefined;

  /** `doorman` says whose pages may read that they are to come back. */
  constructor(doorman: Doorman, pending: PendingModel) {
    this.#doorman = doorman;
    this.#pending = pending;
  }

  /** The server behind the door. */
  get server(): RealtimeServer | undefined {
    return this.#server;
  }

  /** From now on everybody is led to this server. */
  lead(server: RealtimeServer): void {
    this.#server = server;
  }

  admit(handshake: Handshake): Admission {
    if (this.#server !== undefined) return this.#server.admit(handshake);
    return {
      accept: false,
      status: 503,
      headers: { 'content-type': 'application/json' },
      body: errorBody(this.#notYet),
    };
  }

  onConnection(connection: Connection, handshake: Handshake): void {
    // Nobody is let in before there is a server.
    this.#server?.onConnection(connection, handshake);
  }

  /** A request listener for `node:http`. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    if (this.#server !== undefined) {
      this.#server.handleRequest(request, response);
      return;
    }
    if (greetOrigin({ doorman: this.#doorman, methods: [] }, request, response)) return;
    // A body that came with it stays unread: the connection is not used again.
    const headers = { 'retry-after': String(RETRY_SOON_S), connection: 'close' };
    const path = pathOf(request.url ?? '/');
    const { message } = this.#notYet;
    if (path === '/v1/page') this.#sayLoading(response, headers);
    else if (path === '/ready') sendReadiness(response, { code: this.#missing, message }, headers);
    else sendError(response, this.#notYet, headers);
  }

  get #missing(): 'upstream' | 'model' {
    return this.#pending.upstream?.missing === undefined ? 'model' : 'upstream';
  }

  get #notYet(): HttpError {
    return { status: 503, message: this.#pending.upstream?.missing ?? LOADING };
  }

  /** The page says what it waits for. */
  #sayLoading(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const fetching = this.#pending.fetching?.();
    const loading =
      fetching === undefined
        ? {}
        : { received_bytes: fetching.receivedBytes, total_bytes: fetching.totalBytes };
    const missing = this.#pending.upstream?.missing ?? null;
    sendJson(
      response,
      503,
      { ...errorMembers(this.#notYet), loading, missing },
      { ...headers, 'cache-control': 'no-store' },
    );
  }
}
