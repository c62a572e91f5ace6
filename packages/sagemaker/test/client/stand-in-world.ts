import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Connection } from '@kikitori/transport';
import type { ConformanceTraits, ConformanceWorld } from '@kikitori/transport/conformance';
import { attachWebSockets } from '@kikitori/transport/ws';
import { createSageMakerConnect, type SageMakerConnectOptions } from '../../src/client/index.js';
import { createSageMakerStandIn, LOCAL_CREDENTIALS } from '../../src/stand-in/index.js';

/** What SageMaker can do by its nature: it tells a container nothing but a normal close. */
export const SAGEMAKER_TRAITS: ConformanceTraits = {
  tellsRefusal: true,
  pausesPeer: true,
  cutsLine: false,
  tellsCloseCode: false,
};

/** The whole way: our client, the stand-in over loopback, and a container of `ws`. */
export async function standInWorld(
  options: { readonly isPlaintext: boolean } & Partial<SageMakerConnectOptions>,
): Promise<ConformanceWorld> {
  const { isPlaintext, ...tuning } = options;
  const baseline = countSockets();
  const sockets = new Set<Socket>();
  const container = createServer((_request, response) => response.end());
  container.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => container.listen(0, '127.0.0.1', resolve));
  // A fresh listener: `address` is no pipe name.
  const { port } = container.address() as AddressInfo;
  const runtime = await createSageMakerStandIn({
    port: 0,
    isPlaintext,
    endpoints: [{ name: 'demo', containerUrl: `ws://127.0.0.1:${port}` }],
    limits: { healthIntervalMs: 60_000 },
  });
  await runtime.whenInService();
  const connect = createSageMakerConnect({
    endpointName: 'demo',
    region: runtime.region,
    endpointUrl: runtime.url,
    credentials: LOCAL_CREDENTIALS,
    ca: runtime.authority,
    ...tuning,
  });
  return {
    open: async ({ farMessageBytesMax } = {}) => {
      const before = new Set(sockets);
      const far = new Promise<Connection>((resolve) => {
        container.removeAllListeners('upgrade');
        attachWebSockets(
          container,
          { admit: () => ({ accept: true }), onConnection: resolve },
          farMessageBytesMax === undefined ? {} : { messageBytesMax: farMessageBytesMax },
        );
      });
      const near = await connect({ url: '' });
      const mine = [...sockets].filter((socket) => !before.has(socket));
      return {
        near,
        far: await far,
        vanish: () => {
          for (const socket of mine) socket.resetAndDestroy();
        },
      };
    },
    connect: async (answer, signal) => {
      container.removeAllListeners('upgrade');
      if (answer === 'refuse') {
        const admit = () => ({ accept: false, status: 503 }) as const;
        attachWebSockets(container, { admit, onConnection: () => undefined });
      } else {
        container.on('upgrade', () => undefined);
      }
      return await connect({ url: '', ...(signal === undefined ? {} : { signal }) });
    },
    leftovers: () => runtime.streamCount + Math.max(0, countSockets() - baseline),
    dispose: async () => {
      await runtime.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => container.close(resolve));
    },
  };
}

function countSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS)/.test(name)).length;
}
