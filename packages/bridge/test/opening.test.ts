import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { encodeUpgradeAnswer } from '@kikitori/transport/frames';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { parsePaths } from '../src/http/paths.js';
import { listening, RawPeer, until, World } from './peers.js';

const world = new World();
afterEach(() => world.close());

/** An address where nobody listens, and a way to begin to. */
async function vacantPort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', () => resolve()));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function get(url: string, method = 'GET'): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const asking = request(url, { method, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asking.on('error', reject);
    asking.end(method === 'POST' ? 'x' : undefined);
  });
}

describe('opening', () => {
  it('passes the model server’s refusal on as a refusal, without its other headers', async () => {
    const upstream = await world.wsUpstream(() => undefined, { refuse: () => true });
    const { url } = await world.bridge({ upstream: upstream.url });
    const client = await world.wsClient(url);
    expect(client.refusal).toMatchObject({ status: 401, body: '{"error":"Unauthorized"}' });
    expect(client.refusal?.headers['x-secret']).toBeUndefined();
    expect(await world.sessionLine()).toMatchObject({ reason: 'upstream_refused', refused_status: 401 });
  });

  it('lets the client in while the model server does not answer, and loses nothing of what it says', async () => {
    let answer: (() => void) | undefined;
    const received: string[] = [];
    const upstream = await world.rawUpstream(
      () => undefined,
      (asked, socket) => {
        const key = asked.headers['sec-websocket-key'] ?? '';
        answer = () => {
          socket.write(encodeUpgradeAnswer(key));
          const peer = new RawPeer(socket, 'server');
          peer.send('hello');
          socket.on('data', () => received.splice(0, received.length, ...peer.texts));
        };
        return true;
      },
    );
    const { url } = await world.bridge({ upstream: upstream.url, limits: { acceptWithinMs: 10 } });
    const client = await world.wsClient(url);
    expect(client.refusal).toBeUndefined();
    for (let i = 0; i < 50; i += 1) client.socket.send(i % 2 === 0 ? `m${i}` : Buffer.from(`m${i}`));
    const ponged = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping('?');
    await ponged;
    expect(client.texts).toEqual([]);
    answer?.();
    await until(() => received.length === 50);
    expect(received).toEqual(Array.from({ length: 50 }, (_, i) => `m${i}`));
    await until(() => client.texts.length === 1);
  });

  it('waits for a model server that is not there yet', async () => {
    const port = await vacantPort();
    const { url } = await world.bridge({
      upstream: `ws://127.0.0.1:${port}/v1/realtime`,
      limits: { acceptWithinMs: 1, retryMsMin: 1, retryMsMax: 5 },
    });
    const client = await world.wsClient(url);
    client.socket.send('early');
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    world.add(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(`got ${data}`)));
    await until(() => client.texts.length === 1);
    expect(client.texts).toEqual(['got early']);
  });

  it('reaches a model server that is up, however short the wait for one that is not', async () => {
    const upstream = await world.wsUpstream((socket) => socket.send('here'));
    const { url } = await world.bridge({ upstream: upstream.url, limits: { startupWaitMs: 0 } });
    const client = await world.wsClient(url);
    await until(() => client.texts.length === 1);
  });

  it('tells a client that waited too long with an event and 1013', async () => {
    const port = await vacantPort();
    const { url } = await world.bridge({
      upstream: `ws://127.0.0.1:${port}/`,
      limits: { acceptWithinMs: 1, startupWaitMs: 60, retryMsMin: 5 },
    });
    const client = await world.wsClient(url);
    expect(await client.closed).toEqual({ code: 1013, reason: 'model server not ready' });
    expect(JSON.parse(client.texts[0] ?? '')).toMatchObject({ type: 'error', code: 'engine_busy' });
    expect(await world.sessionLine()).toMatchObject({ reason: 'upstream_unavailable', ended_by: 'upstream' });
  });

  it('tells a client that waited too long for a model that is being loaded so, with the same code', async () => {
    const port = await vacantPort();
    const loading = { upstream: `ws://127.0.0.1:${port}/`, isModelLoading: () => true };
    const limits = { acceptWithinMs: 1, startupWaitMs: 60, retryMsMin: 5 };
    const { url } = await world.bridge({ ...loading, limits });
    const client = await world.wsClient(url);
    expect(await client.closed).toEqual({ code: 1013, reason: 'model is loading' });
    expect(JSON.parse(client.texts[0] ?? '')).toEqual({
      type: 'error',
      error: 'model is loading',
      code: 'engine_busy',
    });
    // One that has to be told the subprotocol is not let in before.
    const refused = await world.wsClient(url, { protocols: ['realtime'] });
    expect(refused.refusal).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    expect(refused.refusal?.body).toContain('still loading');
  });

  it.each([
    [401, 1008],
    [403, 1008],
    [429, 1013],
    [500, 1011],
  ])('tells a client that is in already of a refusal with %i by %i', async (status, code) => {
    const upstream = await world.rawUpstream(
      () => undefined,
      (_request, socket) => {
        const refuse = (): void => void socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
        setTimeout(refuse, 60);
        return true;
      },
    );
    const { url } = await world.bridge({ upstream: upstream.url, limits: { acceptWithinMs: 5 } });
    const client = await world.wsClient(url);
    expect(await client.closed).toEqual({ code, reason: `model server refused: ${status}` });
    expect(JSON.parse(client.texts[0] ?? '')).toMatchObject({
      type: 'error',
      // What clients take for a reason to try again.
      code: code === 1013 ? 'engine_busy' : 'upstream_refused',
    });
  });

  it.each([
    [200, 503],
    [503, 101],
  ])('takes a 503 of a server whose health is %i as its answer or as not ready', async (health, outcome) => {
    let tries = 0;
    const upstream = await world.wsUpstream(() => undefined, {
      status: health,
      refuse: () => {
        tries += 1;
        return tries <= 2;
      },
    });
    const { url } = await world.bridge({
      upstream: (await relabel(upstream.url)).url,
      limits: { acceptWithinMs: 5_000, retryMsMin: 1 },
    });
    const client = await world.wsClient(url);
    expect(client.refusal?.status ?? 101).toBe(outcome);
  });

  it('answers with the subprotocol that the model server chose, and not before it did', async () => {
    const upstream = await world.wsUpstream((socket) => socket.send(socket.protocol));
    const { url } = await world.bridge({ upstream: upstream.url, limits: { acceptWithinMs: 0 } });
    const client = await world.wsClient(url, { protocols: ['realtime', 'other'] });
    expect(client.socket.protocol).toBe('realtime');
    await until(() => client.texts[0] === 'realtime');
  });

  it('gives up when the client leaves before anything was said', async () => {
    const gone: Socket[] = [];
    const upstream = await world.tcp((socket) => {
      socket.on('close', () => gone.push(socket)).resume();
      socket.on('end', () => socket.end());
    });
    const { url, bridge } = await world.bridge({ upstream, limits: { acceptWithinMs: 1 } });
    const client = await world.wsClient(url);
    client.socket.close(1000);
    expect(await client.closed).toMatchObject({ code: 1000 });
    await until(() => gone.length === 1 && bridge.sessionCount === 0);
    expect(await world.sessionLine()).toMatchObject({ reason: 'client_closed' });
  });

  it('leaves binary as it is on a path that says so, whatever it leads to, and nowhere else', async () => {
    const heard: [string, boolean][] = [];
    const upstream = await world.wsUpstream((socket, { url }) => {
      socket.on('message', (data: Buffer, isBinary: boolean) => heard.push([String(data), isBinary]));
      socket.send(String(url));
    });
    const { url } = await world.bridge({
      upstream: upstream.url,
      paths: parsePaths('/v1/listen:binary,/a=/b:binary'),
    });
    for (const path of ['/v1/listen?model=x', '/a', '/v1/realtime']) {
      const client = await world.wsClient(new URL(path, url).href);
      client.socket.send(Buffer.from(path));
      client.socket.send(Buffer.alloc(70_000, 32));
      client.socket.send('{"type":"KeepAlive"}');
      await until(() => heard.length % 3 === 0 && heard.length > 0 && client.texts.length === 1);
      expect(client.texts[0]).toBe(path === '/a' ? '/b' : path);
      const isBinary = path !== '/v1/realtime';
      expect(heard.splice(0).map(([text, kind]) => [text.trim(), kind])).toEqual([
        [path, isBinary],
        ['', isBinary],
        ['{"type":"KeepAlive"}', false],
      ]);
    }
  });

  it('takes no more sessions than it may, and none on other paths', async () => {
    const upstream = await world.wsUpstream((socket, { url }) => socket.send(String(url)));
    const { url } = await world.bridge({
      upstream: `${upstream.url}?key=1`,
      paths: parsePaths('/a=/b,/c'),
      limits: { sessionsMax: 4 },
    });
    const at = (path: string): string => new URL(path, url).href;
    const seen: string[] = [];
    for (const path of ['/v1/realtime?x=2', '/invocations-bidirectional-stream', '/a', '/c']) {
      const client = await world.wsClient(at(path));
      await until(() => client.texts.length === 1);
      seen.push(...client.texts);
    }
    expect(seen).toEqual(['/v1/realtime?key=1&x=2', '/v1/realtime?key=1', '/b?key=1', '/v1/realtime?key=1']);
    expect((await world.wsClient(url)).refusal?.status).toBe(503);
    expect((await world.wsClient(at('/v1/other'))).refusal?.status).toBe(404);
    expect((await world.wsClient(url, { protocolVersion: 8 })).refusal?.status).toBe(426);
  });
});

describe('a model server below a path, for who has a login', () => {
  it('is told it, except where a client shows a key of its own, and is asked for its health beside its path', async () => {
    const asked: unknown[] = [];
    const server = createHttpServer((request, response) => {
      asked.push([request.url, request.headers.authorization]);
      response.end();
    });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket, { headers }) => socket.send(String(headers.authorization)));
    const address = await listening(server);
    world.add(() => void [sockets.close(), server.close(), server.closeAllConnections()]);
    const upstream = `${address.replace('//', '//me:s%40fe@')}/stt/v1/realtime`;
    const { url, http } = await world.bridge({ upstream });
    const login = `Basic ${Buffer.from('me:s@fe').toString('base64')}`;
    expect((await get(`${http}/ping`)).status).toBe(200);
    expect(asked).toEqual([['/stt/health', login]]);
    for (const [headers, told] of [
      [{}, login],
      [{ authorization: 'Bearer key' }, 'Bearer key'],
    ] as const) {
      const client = await world.wsClient(url, { headers });
      await until(() => client.texts.length === 1);
      expect(client.texts).toEqual([told]);
    }
  });
});

describe('HTTP', () => {
  it('answers /ping by the model server’s health, to GET and POST, and asks it once', async () => {
    let asked = 0;
    const healthy = await world.tcp((socket) => {
      socket.once('data', () => {
        asked += 1;
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const { http } = await world.bridge({ upstream: healthy });
    const answers = await Promise.all([
      get(`${http}/ping`),
      get(`${http}/ping`, 'POST'),
      get(`${http}/ping?x`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(asked).toBe(1);
    expect((await get(`${http}/v1/audio/transcriptions`)).status).toBe(404);
    expect((await get(`${http}/ping`, 'PUT')).status).toBe(404);
  });

  it('answers /ping with 503 when the model server is absent, sick or does not answer', async () => {
    const silent = await world.tcp((socket) => void socket.resume());
    const sick = await world.wsUpstream(() => undefined, { status: 503 });
    for (const upstream of [silent, sick.url, `ws://127.0.0.1:${await vacantPort()}/`]) {
      const { http } = await world.bridge({ upstream, limits: { healthTimeoutMs: 30 } });
      expect(await get(`${http}/ping`)).toEqual({ status: 503, body: '' });
    }
  });

  it('refuses options that cannot work', async () => {
    for (const upstream of ['http://x/', 'nonsense']) {
      await expect(world.bridge({ upstream })).rejects.toMatchObject({ code: 'invalid_option' });
    }
    const { http } = await world.bridge({ upstream: 'ws://127.0.0.1:1/' });
    const { port } = new URL(http);
    await expect(world.bridge({ upstream: 'ws://127.0.0.1:1/', port: Number(port) })).rejects.toMatchObject({
      code: 'port_in_use',
    });
    await expect(world.bridge({ upstream: 'ws://127.0.0.1:1/', host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'address_unavailable',
    });
  });
});

/** A pass-through that turns the 401 of the helper into the 503 that the test is about. */
async function relabel(target: string): Promise<{ url: string }> {
  const { hostname, port } = new URL(target);
  const url = await world.tcp((socket) => {
    const other = connect(Number(port), hostname);
    world.add(() => void other.destroy());
    other.on('error', () => socket.destroy());
    socket.pipe(other);
    other.on('data', (chunk: Buffer) => {
      socket.write(chunk.toString('latin1').replace('HTTP/1.1 401', 'HTTP/1.1 503'), 'latin1');
    });
    other.on('end', () => socket.end());
  });
  return { url: `${url}/v1/realtime` };
}
