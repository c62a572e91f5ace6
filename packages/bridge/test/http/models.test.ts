import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { BridgeOptions } from '../../src/bridge.js';
import { listening, until, World } from '../peers.js';

const world = new World();
afterEach(() => world.close());

const LIST = JSON.stringify({ object: 'list', data: [{ id: 'toy', max_model_len: 45_000 }] });

/** A bridge in front of a model server that answers so, and what that was asked. */
async function open(
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
  options: Partial<BridgeOptions> & { readonly below?: string } = {},
) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    onRequest(request, response);
  });
  const { below = '', ...others } = options;
  const upstream = `${await listening(server)}${below}/v1/realtime`;
  world.add(() => void [server.closeAllConnections(), server.close()]);
  return { asked, ...(await world.bridge({ upstream, ...others })) };
}

/** What answers, with its headers. */
async function ask(url: string, options: { method?: string; headers?: Record<string, string> } = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { agent: false, ...options }, resolve)
      .on('error', reject)
      .end();
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

const json = (_request: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'X-Secret': 'no', 'Set-Cookie': 'a=b' });
  response.end(LIST);
};

describe('GET /v1/models', () => {
  it('passes the model server’s list on, and none of its other headers', async () => {
    const { http, asked } = await open(json);
    const { status, headers, body } = await ask(`${http}/v1/models?x=y`);
    expect([status, headers['content-type'], body]).toEqual([200, 'application/json', LIST]);
    expect(headers).not.toHaveProperty('x-secret');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(asked.map(({ method, url }) => [method, url])).toEqual([['GET', '/v1/models']]);
  });

  it('shows the model server the caller’s key, and passes on that it is wrong', async () => {
    const { http, asked } = await open((_request, response) => {
      response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"error":"Unauthorized"}');
    });
    const answer = await ask(`${http}/v1/models`, { headers: { authorization: 'Bearer x', cookie: 'a=b' } });
    expect(answer).toMatchObject({ status: 401, body: '{"error":"Unauthorized"}' });
    expect(asked[0]?.headers).toMatchObject({ authorization: 'Bearer x' });
    expect(asked[0]?.headers).not.toHaveProperty('cookie');
  });

  it('asks beside the path of the upstream', async () => {
    const { http, asked } = await open(json, { below: '/stt' });
    expect((await ask(`${http}/v1/models`)).status).toBe(200);
    expect(asked[0]?.url).toBe('/stt/v1/models');
  });

  it('passes nothing else on: no other method, no other path', async () => {
    const { http, asked } = await open(json);
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD']) {
      expect((await ask(`${http}/v1/models`, { method })).status, method).toBe(404);
    }
    for (const path of [
      '/v1/models/toy',
      '/v1/models/',
      '//v1/models',
      '/v1/audio/transcriptions',
      '/metrics',
    ]) {
      expect((await ask(`${http}${path}`)).status, path).toBe(404);
    }
    expect(asked).toEqual([]);
  });

  it('is for no page of another site, also not for one whose name was made to lead here', async () => {
    const { http, asked } = await open(json);
    expect((await ask(`${http}/v1/models`, { headers: { origin: 'https://attacker.test' } })).status).toBe(
      403,
    );
    expect((await ask(`${http}/v1/models`, { headers: { host: 'attacker.test' } })).status).toBe(403);
    expect(asked).toEqual([]);
  });

  it('says 503 while the model server is not up, or when it cuts its answer short', async () => {
    const cut = await open((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('{"data":');
      response.socket?.end();
    });
    expect(await ask(`${cut.http}/v1/models`)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
    });
    const absent = await world.bridge({ upstream: 'ws://127.0.0.1:1/v1/realtime' });
    expect((await ask(`${absent.http}/v1/models`)).status).toBe(503);
  });

  it('waits no longer and takes no more than it may', async () => {
    const silent = await open(() => undefined, { limits: { modelsTimeoutMs: 20 } });
    expect((await ask(`${silent.http}/v1/models`)).status).toBe(504);
    const endless = await open(
      (_request, response) => {
        const more = (): void => void (response.destroyed || response.write('x'.repeat(1_000), more));
        more();
      },
      { limits: { modelsBytesMax: 10_000 } },
    );
    expect((await ask(`${endless.http}/v1/models`)).status).toBe(502);
    await until(() => endless.asked[0]?.socket.destroyed === true);
  });
});

describe('GET /health', () => {
  it('says what /ping says', async () => {
    const statuses = [200, 503];
    const { http } = await open(
      (_request, response) => void response.writeHead(statuses.shift() ?? 500).end(),
      {
        limits: { healthCacheMs: 0 },
      },
    );
    expect((await ask(`${http}/health`)).status).toBe(200);
    expect((await ask(`${http}/health`)).status).toBe(503);
    expect((await ask(`${http}/health`, { method: 'POST' })).status).toBe(404);
  });
});
