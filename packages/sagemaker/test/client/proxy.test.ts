import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connection } from '@kikitori/transport';
import { Proxies } from '@kikitori/transport/proxy';
import { attachWebSockets } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { ProxyServer } from '../../../transport/test/proxy/proxy-server.js';
import { createSageMakerConnect } from '../../src/client/index.js';
import { createSageMakerStandIn, LOCAL_CREDENTIALS } from '../../src/stand-in/index.js';
import { optionsFor } from './opened.js';

describe('the way to an endpoint', () => {
  it.each([true, false])(
    'goes through the proxy of the environment (without TLS: %s)',
    async (isPlaintext) => {
      const container = createServer((_request, response) => response.end());
      await new Promise<void>((resolve) => container.listen(0, '127.0.0.1', resolve));
      const onConnection = async (far: Connection): Promise<void> => {
        for await (const message of far.messages) await far.send(`heard ${String(message)}`);
      };
      attachWebSockets(container, {
        admit: () => ({ accept: true }),
        onConnection: (far) => void onConnection(far),
      });
      const runtime = await createSageMakerStandIn({
        port: 0,
        isPlaintext,
        // A fresh listener: `address` is no pipe name.
        endpoints: [
          { name: 'demo', containerUrl: `ws://127.0.0.1:${(container.address() as AddressInfo).port}` },
        ],
      });
      await runtime.whenInService();
      await using proxy = await ProxyServer.start({ login: 'me:secret' });
      const { port } = new URL(runtime.url);
      const connect = createSageMakerConnect(
        optionsFor(`${isPlaintext ? 'http' : 'https'}://localhost:${port}`, {
          region: runtime.region,
          credentials: LOCAL_CREDENTIALS,
          ca: runtime.authority,
          proxies: new Proxies({ ALL_PROXY: proxy.url.replace('//', '//me:secret@') }),
        }),
      );
      const connection = await connect({ url: '' });
      await connection.send('words');
      const { value } = await connection.messages[Symbol.asyncIterator]().next();
      expect([value, ...proxy.asked]).toEqual(['heard words', `localhost:${port}`]);
      await connection.close();
      await runtime.destroy();
      container.closeAllConnections();
      await new Promise((resolve) => container.close(resolve));
    },
  );

  it('that the proxy does not open says so, and what to do', async () => {
    await using proxy = await ProxyServer.start({ status: 403 });
    const proxies = new Proxies({ HTTPS_PROXY: proxy.url });
    const connect = createSageMakerConnect(optionsFor('https://runtime.test:8443', { proxies }));
    await expect(connect({ url: '' })).rejects.toMatchObject({
      reason: 'proxy_refused',
      retryable: false,
      message: expect.stringMatching(/HTTPS_PROXY .* \(HTTP 403\); ask whoever runs it/),
    });
    expect(proxy.asked).toEqual(['runtime.test:8443']);
  });
});
