import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ConformanceTraits, ConformanceWorld } from '../src/conformance/connection.js';
import type { Connect, Connection } from '../src/connection.js';
import { FaultInjector } from '../src/faulty.js';
import { attachMemory, createMemoryHost, createMemoryPair } from '../src/memory.js';
import { attachWebSockets, type WebSocketTuning } from '../src/ws/node.js';

/** What a transport can do that runs on Node. */
export const EVERYTHING: ConformanceTraits = {
  tellsRefusal: true,
  pausesPeer: true,
  cutsLine: true,
  tellsCloseCode: true,
};

/** The in-process pair. It owns no handle, so nothing can be left. */
export function memoryWorld(): ConformanceWorld {
  return {
    open: async ({ farMessageBytesMax } = {}) => {
      const { near, far } = createMemoryPair({
        far: farMessageBytesMax === undefined ? {} : { messageBytesMax: farMessageBytesMax },
      });
      return { near, far, vanish: () => far.destroy() };
    },
    connect: async (answer, signal) => {
      signal?.throwIfAborted();
      if (answer === 'silence') {
        return await new Promise<Connection>((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      }
      const host = createMemoryHost();
      attachMemory(host, { admit: () => ({ accept: false, status: 503 }), onConnection: () => undefined });
      return await host.connect({ url: 'memory://refused/' });
    },
    leftovers: () => 0,
    dispose: async () => undefined,
  };
}

/** The wrapper that injects faults, with none planned: it must be transparent. */
export function faultyWorld(inner: ConformanceWorld): ConformanceWorld {
  const injector = new FaultInjector();
  return {
    ...inner,
    open: async (options) => {
      const { near, far, vanish } = await inner.open(options);
      return { near: injector.wrap(near), far: injector.wrap(far), vanish };
    },
  };
}

/** What listens for real: an HTTP server on a free port of loopback. */
export interface WebSocketWorld extends ConformanceWorld {
  readonly server: Server;
  readonly url: string;
}

/** WebSockets over loopback, connected with the given function. */
export async function webSocketWorld(connect: Connect): Promise<WebSocketWorld> {
  const baseline = countSockets();
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await listen(server);
  const url = `ws://127.0.0.1:${portOf(server)}`;
  return {
    server,
    url,
    open: async ({ farMessageBytesMax } = {}) => {
      const tuning: WebSocketTuning =
        farMessageBytesMax === undefined ? {} : { messageBytesMax: farMessageBytesMax };
      const before = new Set(sockets);
      const { near, far } = await openOne(server, () => connect({ url }), tuning);
      const mine = [...sockets].filter((socket) => !before.has(socket));
      return {
        near,
        far,
        vanish: () => {
          for (const socket of mine) socket.resetAndDestroy();
        },
      };
    },
    connect: async (answer, signal) => {
      server.removeAllListeners('upgrade');
      if (answer === 'refuse') {
        attachWebSockets(server, {
          admit: () => ({ accept: false, status: 503 }),
          onConnection: () => undefined,
        });
      } else {
        server.on('upgrade', () => undefined);
      }
      try {
        return await connect({ url, ...(signal === undefined ? {} : { signal }) });
      } finally {
        server.removeAllListeners('upgrade');
        if (answer === 'silence') for (const socket of sockets) socket.destroy();
      }
    },
    leftovers: () => sockets.size + Math.max(0, countSockets() - baseline),
    dispose: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Accepts exactly one connection and answers both ends of it. */
export async function openOne(
  server: Server,
  connect: () => Promise<Connection>,
  tuning: WebSocketTuning = {},
): Promise<{ near: Connection; far: Connection }> {
  const far = new Promise<Connection>((resolve) => {
    server.removeAllListeners('upgrade');
    attachWebSockets(server, { admit: () => ({ accept: true }), onConnection: resolve }, tuning);
  });
  const near = await connect();
  return { near, far: await far };
}

/** Listens on a free port of loopback. */
export function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

/** The port of a listening server. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on TCP.');
  return address.port;
}

function countSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}
