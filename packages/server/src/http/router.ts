import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../auth.js';
import { send, sendError, sendJson } from './answers.js';

/** Answers one request. A rejection is answered with 500. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** One path. */
export interface Route {
  readonly methods: Readonly<Record<string, Handler>>;
  /** Needs the API key, where one is set. */
  readonly guarded: boolean;
}

/** What a router needs. */
export interface RouterOptions {
  readonly routes: Readonly<Record<string, Route>>;
  readonly authenticator: Authenticator;
  readonly onUnauthorized: () => void;
  readonly onError: (error: unknown) => void;
}

/** The answer to whoever has no key, of HTTP requests and handshakes alike. */
export const UNAUTHORIZED = { error: 'Unauthorized' } as const;

/** A request handler for `node:http` over a table of exact paths. Answers are FastAPI's where vLLM's are. */
export function createRouter(
  options: RouterOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { routes, authenticator, onUnauthorized, onError } = options;
  return (request, response) => {
    if (hasBody(request)) response.setHeader('connection', 'close');
    // A client that leaves is not an error of ours; whoever works for it watches `close`.
    response.on('error', () => {});
    const path = pathOf(request.url ?? '/');
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) {
      sendJson(response, 404, { detail: 'Not Found' });
      return;
    }
    if (route.guarded && !authenticator.allows(request.headers.authorization)) {
      onUnauthorized();
      sendJson(response, 401, UNAUTHORIZED, { 'www-authenticate': 'Bearer' });
      return;
    }
    const handler = handlerOf(route, request.method ?? 'GET');
    if (handler === undefined) {
      const allow = Object.keys(route.methods).join(', ');
      sendJson(response, 405, { detail: 'Method Not Allowed' }, { allow });
      return;
    }
    void run(handler, request, response, onError);
  };
}

async function run(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    await handler(request, response);
  } catch (error) {
    onError(error);
    const message = 'The server failed to answer. Its log says why.';
    if (response.headersSent) response.destroy();
    else sendError(response, { status: 500, message });
  }
}

function handlerOf(route: Route, method: string): Handler | undefined {
  const name = method === 'HEAD' ? 'GET' : method;
  return Object.hasOwn(route.methods, name) ? route.methods[name] : undefined;
}

/** Does a body come with it? Most routes do not read one; a connection with an unread body is not used again. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** The path without its query. */
export function pathOf(target: string): string {
  const queryAt = target.indexOf('?');
  return queryAt === -1 ? target : target.slice(0, queryAt);
}

/** An empty answer. */
export function empty(response: ServerResponse, status: number): void {
  send(response, status);
}
