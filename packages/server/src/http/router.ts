import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal, RefusalAnswer } from '../dialects/dialect.js';
import { headerCredential } from '../doors/credentials.js';
import { type Doorman, type DoorRefusal, refusalBody, refusalHeaders } from '../doors/doorman.js';
import { send, sendError, sendJson } from './answers.js';
import { greetOrigin } from './cross-origin.js';

/** Answers one request. A rejection is answered with 500. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** One path. */
export interface Route {
  readonly methods: Readonly<Record<string, Handler>>;
  /** Needs a key or a token, where there are keys; `'key'`: a token is not enough. */
  readonly guarded: boolean | 'key';
  /** How its clients are told that they may not enter. Default: as vLLM's. */
  readonly refuse?: (refusal: Refusal) => RefusalAnswer;
}

/** What a router needs. */
export interface RouterOptions {
  /** By path; one that ends in `/*` takes every longer path that no other does. */
  readonly routes: Readonly<Record<string, Route>>;
  readonly doorman: Doorman;
  readonly onRefused: (refusal: DoorRefusal) => void;
  readonly onError: (error: unknown) => void;
}

/** A request handler for `node:http` over a table of paths. Answers are FastAPI's where vLLM's are. */
export function createRouter(
  options: RouterOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { routes, doorman, onRefused, onError } = options;
  return (request, response) => {
    if (hasBody(request)) response.setHeader('connection', 'close');
    // A client that leaves is not an error of ours; whoever works for it watches `close`.
    response.on('error', () => {});
    const path = pathOf(request.url ?? '/');
    const route = routeOf(routes, path);
    if (greetOrigin({ doorman, methods: Object.keys(route?.methods ?? {}) }, request, response)) return;
    if (route === undefined) {
      sendJson(response, 404, { detail: 'Not Found' });
      return;
    }
    const refusal = route.guarded === false ? undefined : refusalOf(doorman, request, route);
    if (refusal !== undefined) {
      onRefused(refusal);
      const { headers, body } = (route?.refuse ?? refuseAsVllm)(refusal);
      send(response, refusal.status, body, { ...headers, ...refusalHeaders(refusal) });
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

function refuseAsVllm(refusal: Refusal): RefusalAnswer {
  return { headers: { 'content-type': 'application/json' }, body: refusalBody(refusal) };
}

function routeOf(routes: RouterOptions['routes'], path: string): Route | undefined {
  if (Object.hasOwn(routes, path)) return routes[path];
  const prefix = Object.keys(routes).find(
    (each) => each.endsWith('/*') && path.startsWith(each.slice(0, -1)),
  );
  return prefix === undefined ? undefined : routes[prefix];
}

function refusalOf(doorman: Doorman, request: IncomingMessage, { guarded }: Route): DoorRefusal | undefined {
  const verdict = doorman.judge({
    headers: request.headers,
    remoteAddress: request.socket.remoteAddress ?? '',
    // Only handshakes carry one elsewhere: browsers can give a request a header.
    credential: headerCredential(request.headers),
    needsKey: guarded === 'key',
  });
  return 'refusal' in verdict ? verdict.refusal : undefined;
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

/** The query alone, without its `?`. */
export function queryOf(target: string): string {
  const queryAt = target.indexOf('?');
  return queryAt === -1 ? '' : target.slice(queryAt + 1);
}

/** An empty answer. */
export function empty(response: ServerResponse, status: number): void {
  send(response, status);
}
