/** The stand-in of vLLM over real sockets: `/v1/realtime`, and the HTTP beside it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Admission, Handshake } from '@kikitori/transport';
import { attachWebSockets } from '@kikitori/transport/ws';
import type { VllmStandIn } from './stand-in.js';
import { metricsOf } from './stand-in-metrics.js';

/** Where it is served. */
export interface ServedStandIn {
  /** `ws://127.0.0.1:PORT/v1/realtime` */
  readonly url: string;
  /** `http://127.0.0.1:PORT` */
  readonly httpUrl: string;
  readonly port: number;
  /** Ends it as SIGTERM does; again: nothing. */
  close(): Promise<void>;
}

/** As uvicorn has them. */
const UVICORN = { messageBytesMax: 16 * 1024 * 1024, pingIntervalMs: 20_000, pongTimeoutMs: 20_000 };
const VERSIONS = { '0.17.1': '0.17.1', '0.31': '0.31.0', '0.32': '0.32.0' } as const;
/** Open to everybody; a key is asked for on the others. */
const PUBLIC = ['/health', '/ping', '/load', '/version', '/metrics'];

/** Listens on 127.0.0.1, on a free port unless one is named (again, after a death). */
export async function serveStandIn(standIn: VllmStandIn, port = 0): Promise<ServedStandIn> {
  const server = createServer((request, response) => answer(standIn, request, response));
  const listener = attachWebSockets(
    server,
    {
      admit: (handshake) => admit(standIn, handshake),
      onConnection: (connection) => void standIn.serve(connection),
    },
    UVICORN,
  );
  const goAway = (): void => {
    void listener.close();
    server.close();
    server.closeIdleConnections();
  };
  standIn.onGone(goAway);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  // Of a server that listens on TCP.
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${listening}/v1/realtime`,
    httpUrl: `http://127.0.0.1:${listening}`,
    port: listening,
    close: async () => {
      await standIn.stop();
      server.closeAllConnections();
    },
  };
}

function admit({ traits }: VllmStandIn, { path, headers }: Handshake): Admission {
  if (traits.apiKeys.length > 0) {
    // Its middleware asks a WebSocket for its HTTP method, and falls.
    if (traits.age === '0.17.1') return { accept: false, status: 500, body: 'Internal Server Error' };
    if (!isKnown(traits.apiKeys, headers['authorization'])) {
      const type = { 'content-type': 'application/json' };
      return { accept: false, status: 401, headers: type, body: '{"error":"Unauthorized"}' };
    }
  }
  return path === '/v1/realtime' ? { accept: true } : { accept: false, status: 403 };
}

function isKnown(keys: readonly string[], authorization = ''): boolean {
  const at = authorization.indexOf(' ');
  return authorization.slice(0, at).toLowerCase() === 'bearer' && keys.includes(authorization.slice(at + 1));
}

function answer(standIn: VllmStandIn, request: IncomingMessage, response: ServerResponse): void {
  const { traits, isHealthy } = standIn;
  const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
  const isOpen = PUBLIC.includes(path) || (traits.age === '0.17.1' && !path.startsWith('/v1'));
  if (traits.apiKeys.length > 0 && !isOpen && !isKnown(traits.apiKeys, request.headers.authorization)) {
    sendJson(response, 401, { error: 'Unauthorized' });
    return;
  }
  if (path === '/health' || path === '/ping') {
    response.writeHead(isHealthy ? 200 : 503, { 'content-length': 0 }).end();
    return;
  }
  if (path === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(metricsOf(standIn));
    return;
  }
  const value = documentAt(standIn, path);
  if (value === undefined) sendJson(response, 404, { detail: 'Not Found' });
  else sendJson(response, 200, value);
}

function documentAt(standIn: VllmStandIn, path: string): unknown {
  const { age, models } = standIn.traits;
  if (path === '/version') return { version: VERSIONS[age] };
  // Counts files; sessions are none.
  if (path === '/load') return { server_load: 0 };
  if (path === '/v1/models') return { object: 'list', data: models.map((id) => card(standIn, id)) };
  return undefined;
}

function card({ traits }: VllmStandIn, id: string): Readonly<Record<string, unknown>> {
  const created = Math.floor(traits.clock.unixMs() / 1_000);
  const permission = { id: `modelperm-${id}`, object: 'model_permission', created, allow_sampling: true };
  return {
    id,
    object: 'model',
    created,
    owned_by: 'vllm',
    root: id,
    parent: null,
    max_model_len: traits.maxModelLen,
    permission: [permission],
  };
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
