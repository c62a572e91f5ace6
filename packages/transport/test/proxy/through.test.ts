/** What goes through a proxy: sessions over WebSocket, and requests over HTTP. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../src/connection.js';
import { connectThrough } from '../../src/proxy/connect.js';
import { proxiedFetch } from '../../src/proxy/fetch.js';
import { Proxies } from '../../src/proxy/proxies.js';
import { attachWebSockets } from '../../src/ws/node-listen.js';
import { ProxyServer } from './proxy-server.js';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

async function listening(handler?: RequestListener): Promise<number> {
  server = createServer(handler);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  // It listens on TCP.
  return (server.address() as AddressInfo).port;
}

describe('a session', () => {
  it('goes through the proxy, both ways, and straight where NO_PROXY says so', async () => {
    const port = await listening();
    if (server === undefined) throw new Error('no server');
    const onConnection = async (far: Connection): Promise<void> => {
      for await (const message of far.messages) await far.send(`heard ${String(message)}`);
    };
    attachWebSockets(server, {
      admit: () => ({ accept: true }),
      onConnection: (far) => void onConnection(far),
    });
    await using proxy = await ProxyServer.start({ names: { 'stt.test': port } });
    const HTTP_PROXY = proxy.url;
    const say = async (url: string, env: Record<string, string>): Promise<unknown> => {
      const connection = await connectThrough(new Proxies(env))({ url });
      await connection.send('words');
      const { value } = await connection.messages[Symbol.asyncIterator]().next();
      await connection.close();
      return value;
    };
    expect(await say('ws://stt.test:8000/v1/realtime', { HTTP_PROXY })).toBe('heard words');
    expect(await say(`ws://127.0.0.1:${port}`, { HTTP_PROXY, NO_PROXY: '127.0.0.1' })).toBe('heard words');
    expect(proxy.asked).toEqual(['stt.test:8000']);
  });

  it('that the proxy refuses says so; what is no address, as ever', async () => {
    await using proxy = await ProxyServer.start({ status: 403 });
    const connect = connectThrough(new Proxies({ HTTP_PROXY: proxy.url }));
    await expect(connect({ url: 'ws://stt.test' })).rejects.toMatchObject({ reason: 'proxy_refused' });
    await expect(connect({ url: 'stt.test' })).rejects.toMatchObject({ code: 'invalid_url' });
  });
});

describe('a request over HTTP', () => {
  const straight = (): Promise<Response> => Promise.resolve(new Response('straight'));

  it('goes through the proxy with its method, headers and body, and its answer comes as it is', async () => {
    const port = await listening(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { method, url, headers } = request;
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response
        .writeHead(201, { 'x-host': headers.host })
        .end(`${method} ${url} ${headers['x-sent']} ${body}`);
    });
    await using proxy = await ProxyServer.start({ names: { 'hub.test': port } });
    const fetch = proxiedFetch(new Proxies({ HTTP_PROXY: proxy.url, NO_PROXY: 'other.test' }), straight);
    const init = { method: 'POST', headers: { 'x-sent': 'yes' }, body: 'words' };
    const answer = await fetch('http://hub.test/models?a=b', init);
    expect([answer.status, answer.headers.get('x-host'), answer.headers.getSetCookie()]).toEqual([
      201,
      'hub.test',
      ['a=1', 'b=2'],
    ]);
    expect(await answer.text()).toBe('POST /models?a=b yes words');
    expect(await (await fetch('http://other.test')).text()).toBe('straight');
    expect(proxy.asked).toEqual(['hub.test:80']);
  });

  it('follows redirects unless told not to; a key stays with the host that it was for', async () => {
    const seen: string[] = [];
    const port = await listening(({ url, headers }, response) => {
      seen.push(`${headers.host}${url} ${headers.authorization}`);
      if (url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (url === '/a') response.writeHead(307, { location: '/b' }).end();
      else if (url === '/b') response.writeHead(302, { location: 'http://store.test/c' }).end();
      else response.end('found');
    });
    await using proxy = await ProxyServer.start({ names: { 'hub.test': port, 'store.test': port } });
    const fetch = proxiedFetch(new Proxies({ HTTP_PROXY: proxy.url }), straight);
    const headers = { authorization: 'Bearer k' };
    expect(await (await fetch('http://hub.test/a', { headers })).text()).toBe('found');
    expect(seen).toEqual(['hub.test/a Bearer k', 'hub.test/b Bearer k', 'store.test/c undefined']);
    expect((await fetch('http://hub.test/a', { redirect: 'manual' })).headers.get('location')).toBe('/b');
    expect((await fetch('http://hub.test/loop')).status).toBe(302);
  });

  it('is broken off by its signal, before and in the middle of the answer', async () => {
    const port = await listening((_request, response) => response.write('the first half'));
    await using proxy = await ProxyServer.start({ names: { 'hub.test': port } });
    const fetch = proxiedFetch(new Proxies({ HTTP_PROXY: proxy.url }), straight);
    const leaving = new AbortController();
    const answer = await fetch('http://hub.test', { signal: leaving.signal });
    const reader = answer.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('the first half');
    leaving.abort(new Error('enough'));
    await expect(reader?.read()).rejects.toThrow();
    await expect(fetch('http://hub.test', { signal: leaving.signal })).rejects.toThrow('enough');
  });

  it('that the proxy refuses says so', async () => {
    await using proxy = await ProxyServer.start({ login: 'a:b' });
    for (const url of ['http://hub.test', 'https://hub.test']) {
      const fetch = proxiedFetch(new Proxies({ ALL_PROXY: proxy.url }), straight);
      await expect(fetch(url)).rejects.toMatchObject({ reason: 'proxy_wants_login' });
    }
  });
});
