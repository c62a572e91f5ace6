import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { servedModels } from '../src/models.js';
import { modelsUrl, realtimeUrl } from '../src/urls.js';

describe('an address', () => {
  it.each([
    ['ws://h:8000', 'ws://h:8000/v1/realtime', 'http://h:8000/v1/models'],
    ['https://h', 'wss://h/v1/realtime', 'https://h/v1/models'],
    ['http://h/v1', 'ws://h/v1/realtime', 'http://h/v1/models'],
    ['http://h/v1/', 'ws://h/v1/realtime', 'http://h/v1/models'],
    ['ws://h/v1/realtime?model=a#b', 'ws://h/v1/realtime?model=a#b', 'http://h/v1/models'],
    [
      'ws://h/invocations-bidirectional-stream',
      'ws://h/invocations-bidirectional-stream',
      'http://h/v1/models',
    ],
    // Below a path of a proxy.
    ['https://h/stt/', 'wss://h/stt/v1/realtime', 'https://h/stt/v1/models'],
    ['https://h/stt/v1', 'wss://h/stt/v1/realtime', 'https://h/stt/v1/models'],
    ['wss://h/stt/v1/realtime', 'wss://h/stt/v1/realtime', 'https://h/stt/v1/models'],
    ['wss://h/v1/stt/v1/realtime', 'wss://h/v1/stt/v1/realtime', 'https://h/v1/stt/v1/models'],
    ['wss://me:s%40fe@h/stt/', 'wss://me:s%40fe@h/stt/v1/realtime', 'https://me:s%40fe@h/stt/v1/models'],
  ])('%s leads to %s, and its models are at %s', (url, realtime, models) => {
    expect([realtimeUrl({ url }), modelsUrl(url).href]).toEqual([realtime, models]);
  });

  it('with a name and a password has them sent to the list of models, as they were meant; a key goes instead', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer(({ url, headers }, response) => {
      seen.push(`${url} ${headers.authorization}`);
      response.end('{"data":[{"id":"base"}]}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // It listens on TCP.
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}/stt/v1/realtime`;
    const [{ id }] = await servedModels(`ws://m%C3%A9:s%40fe%@${address}`);
    await servedModels(`ws://me:safe@${address}`, { apiKey: 'k' });
    await servedModels(`ws://${address}`);
    const basic = Buffer.from('mé:s%40fe%').toString('base64');
    expect([id, ...seen]).toEqual([
      'base',
      `/stt/v1/models Basic ${basic}`,
      '/stt/v1/models Bearer k',
      '/stt/v1/models undefined',
    ]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
