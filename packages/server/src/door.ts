import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission, Connection, Handshake, ListenHandlers } from '@kikitori/transport';
import type { Doorman } from './doors/doorman.js';
import type { HttpError } from './errors.js';
import { errorBody, errorMembers, sendError, sendJson } from './http/answers.js';
import { greetOrigin } from './http/cross-origin.js';
import { pathOf } from './http/router.js';
import { RETRY_SOON_S } from './limits.js';
import type { RealtimeServer } from './server.js';

const NOT_YET: HttpError = {
  status: 503,
  message: 'The model is still loading. Try again in a moment.',
};

/** How far a model that is not here yet has been fetched. */
export interface ModelFetch {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** Where everybody knocks: leads them to the server once there is one; until then they are told to come back. */
export class Door implements ListenHandlers {
  readonly #doorman: Doorman;
  readonly #fetching: () => ModelFetch | undefined;
  #server: RealtimeServer | undefined;

  /**
   * `doorman` says whose pages may read that they are to come back; `fetching` how far a model was fetched, undefined while
   * nothing is fetched, but loaded.
   */
  constructor(doorman: Doorman, fetching: () => ModelFetch | undefined = () => undefined) {
    this.#doorman = doorman;
    this.#fetching = fetching;
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
      status: NOT_YET.status,
      headers: { 'content-type': 'application/json' },
      body: errorBody(NOT_YET),
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
    if (pathOf(request.url ?? '/') === '/v1/page') this.#sayLoading(response, headers);
    else sendError(response, NOT_YET, headers);
  }

  /** The page says what it waits for. */
  #sayLoading(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const fetching = this.#fetching();
    const loading =
      fetching === undefined
        ? {}
        : { received_bytes: fetching.receivedBytes, total_bytes: fetching.totalBytes };
    sendJson(
      response,
      NOT_YET.status,
      { ...errorMembers(NOT_YET), loading },
      { ...headers, 'cache-control': 'no-store' },
    );
  }
}
