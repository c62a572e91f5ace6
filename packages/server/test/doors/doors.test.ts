/** The doors of a server that listens: who is let in, who is sent away and how. */
import { connect, type Socket } from 'node:net';
import { ManualClock } from '@kikitori/core/manual-clock';
import { createScriptedEngine } from '@kikitori/engine';
import { connectWebSocket } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fixedKeys } from '../../src/doors/keys.js';
import { commit, RealtimeClient } from '../realtime-client.js';
import { eventually, SCRIPT, startTestServer } from '../test-server.js';

const KEY = 'open-sesame';
const asKey = { authorization: `Bearer ${KEY}` };

async function mint(url: string, body?: string): Promise<{ value: string; expires_at: number }> {
  const answer = await fetch(`${url}/v1/realtime/client_secrets`, {
    method: 'POST',
    headers: { ...asKey, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return await answer.json();
}

/** The status of a refused handshake, and its headers. */
function refusalOf(url: string, options: { protocols?: string[]; headers?: Record<string, string> } = {}) {
  return new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), options.protocols ?? [], {
      headers: options.headers ?? {},
    });
    socket.on('error', () => undefined);
    socket.on('open', () => reject(new Error('it was let in')));
    socket.on('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
      socket.terminate();
    });
  });
}

describe('a token', () => {
  it('opens a session as a browser carries it, and the answer names its subprotocol', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const { value, expires_at } = await mint(test.url);
    expect(expires_at - Date.now() / 1000).toBeGreaterThan(50);
    expect(expires_at - Date.now() / 1000).toBeLessThanOrEqual(60);
    const socket = new WebSocket(test.realtime.replace('http', 'ws'), [
      'realtime',
      `openai-insecure-api-key.${value}`,
    ]);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    expect(socket.protocol).toBe('realtime');
    socket.close();
    const byQuery = await RealtimeClient.connect(`${test.realtime}?token=${value}`);
    await byQuery.connection.close();
    expect(
      (await fetch(`${test.url}/v1/models`, { headers: { authorization: `Bearer ${value}` } })).status,
    ).toBe(200);
    expect(JSON.stringify(test.log)).not.toContain(value);
  });

  it('makes no other token, reads no metrics, and is good for as long as was asked', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const { value } = await mint(
      test.url,
      '{"expires_after":{"anchor":"created_at","seconds":600},"session":{}}',
    );
    const headers = { authorization: `Bearer ${value}` };
    const again = await fetch(`${test.url}/v1/realtime/client_secrets`, { method: 'POST', headers });
    expect(again.status).toBe(403);
    expect((await fetch(`${test.url}/metrics`, { headers })).status).toBe(403);
    for (const body of [
      '{',
      '[]',
      '{"expires_after":{"seconds":601}}',
      '{"expires_after":{"seconds":0.5}}',
      '{"expires_after":7}',
    ]) {
      const answer = await fetch(`${test.url}/v1/realtime/client_secrets`, {
        method: 'POST',
        headers: { ...asKey, 'content-type': 'application/json' },
        body,
      });
      expect([answer.status, await answer.text()], body).toEqual([
        400,
        expect.stringMatching(/expires_after|not JSON/),
      ]);
    }
    const large = await fetch(`${test.url}/v1/realtime/client_secrets`, {
      method: 'POST',
      headers: { ...asKey, 'content-type': 'application/json' },
      body: ' '.repeat(20_000),
    });
    expect(large.status).toBe(413);
  });

  it('comes with the session that it is for, and under the names of the beta as well', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const audio = { input: { turn_detection: null } };
    expect(await mint(test.url, JSON.stringify({ session: { audio } }))).toMatchObject({
      session: { type: 'transcription', audio },
    });
    const answer = await fetch(`${test.url}/v1/realtime/transcription_sessions`, {
      method: 'POST',
      headers: { ...asKey, 'content-type': 'application/json' },
      body: '{"input_audio_format":"pcm16","expires_after":{"seconds":60}}',
    });
    const session = await answer.json();
    expect(session).toEqual({
      object: 'realtime.transcription_session',
      input_audio_format: 'pcm16',
      client_secret: { value: expect.any(String), expires_at: expect.any(Number) },
    });
    const protocols = ['realtime', `openai-insecure-api-key.${session.client_secret.value}`];
    const socket = new WebSocket(`${test.realtime.replace('http', 'ws')}?intent=transcription`, protocols);
    const first = await new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
    expect(first).toContain('session.created');
    socket.terminate();
  });

  it('is not made where there are no keys', async () => {
    await using test = await startTestServer();
    const answer = await fetch(`${test.url}/v1/realtime/client_secrets`, { method: 'POST' });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('no keys')]);
  });
});

describe('origins', () => {
  it('of other sites are refused, over HTTP and WebSocket, before a key is looked at', async () => {
    await using test = await startTestServer({ server: { apiKey: KEY } });
    const headers = { ...asKey, origin: 'https://evil.example' };
    expect(await refusalOf(test.realtime, { headers })).toMatchObject({ status: 403 });
    const answer = await fetch(`${test.url}/v1/models`, { headers });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('--allow-origin')]);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('that are allowed may read the answers, and ask before', async () => {
    const origin = 'https://app.example.com';
    await using test = await startTestServer({ server: { apiKey: KEY, allowedOrigins: [origin] } });
    const answer = await fetch(`${test.url}/v1/models`, { headers: { ...asKey, origin } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    expect(answer.headers.get('vary')).toBe('Origin');
    const preflight = await fetch(`${test.url}/v1/realtime/client_secrets`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, content-type');
    const client = await RealtimeClient.connect(test.realtime, { headers: { ...asKey, origin } });
    await client.connection.close();
  });

  it('that are allowed may send the headers that their library sends, as OpenAI’s does, and read when to come back', async () => {
    const origin = 'https://app.example.com';
    await using test = await startTestServer({ server: { apiKey: KEY, allowedOrigins: [origin] } });
    const stainless = ['lang', 'package-version', 'os', 'arch', 'runtime', 'runtime-version', 'retry-count'];
    const openai = ['openai-organization', 'openai-project'];
    const names = [
      'authorization',
      ...openai,
      ...stainless.map((name) => `x-stainless-${name}`),
      'x-stainless-timeout',
    ];
    const ask = (from: string): Promise<Response> =>
      fetch(`${test.url}/v1/audio/transcriptions`, {
        method: 'OPTIONS',
        headers: {
          origin: from,
          'access-control-request-method': 'POST',
          'access-control-request-headers': [...names, 'not a name'].join(','),
          'access-control-request-private-network': 'true',
        },
      });
    const preflight = await ask(origin);
    expect(preflight.status).toBe(204);
    const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ') ?? [];
    expect(allowed.toSorted()).toEqual(['content-type', ...names].toSorted());
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect(preflight.headers.get('access-control-allow-private-network')).toBe('true');
    expect(preflight.headers.get('vary')).toContain('Access-Control-Request-Headers');
    // What is not there says so, instead of looking like no connection.
    const missing = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } };
    expect((await fetch(`${test.url}/v1/audio/speech`, missing)).status).toBe(204);
    const speech = await fetch(`${test.url}/v1/audio/speech`, {
      method: 'POST',
      headers: { origin },
    });
    expect([speech.status, speech.headers.get('access-control-allow-origin')]).toEqual([404, origin]);
    const refused = await ask('https://evil.example');
    expect([...refused.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    const answer = await fetch(`${test.url}/v1/models`, { headers: { origin, authorization: 'Bearer no' } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-expose-headers')).toContain('retry-after');
  });

  it.each(['app://obsidian.md', 'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb', 'tauri://localhost'])(
    'of apps are let in over HTTP and WebSocket where they are allowed: %s',
    async (origin) => {
      await using test = await startTestServer({ server: { apiKey: KEY, allowedOrigins: [origin] } });
      const headers = { ...asKey, origin };
      const answer = await fetch(`${test.url}/v1/models`, { headers });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
      const client = await RealtimeClient.connect(test.realtime, { headers });
      await client.connection.close();
    },
  );

  it('on loopback without a key: a foreign name for this machine is refused (DNS rebinding)', async () => {
    await using test = await startTestServer();
    const host = 'evil.example';
    expect(await refusalOf(test.realtime, { headers: { host, origin: `http://${host}` } })).toMatchObject({
      status: 403,
    });
    expect(await refusalOf(test.realtime, { headers: { host } })).toMatchObject({ status: 403 });
  });

  it('in a network without a key: a name of the internet is refused, addresses and names of the network are not', async () => {
    await using test = await startTestServer({ server: { host: '0.0.0.0', insecure: true } });
    const realtime = `ws://127.0.0.1:${test.server.port}/v1/realtime`;
    const host = 'evil.example';
    expect(await refusalOf(realtime, { headers: { host, origin: `http://${host}` } })).toMatchObject({
      status: 403,
    });
    for (const ours of ['127.0.0.1:8000', 'desk.local:8000', 'kikitori']) {
      const client = await RealtimeClient.connect(realtime, {
        headers: { host: ours, origin: `http://${ours}` },
      });
      await client.connection.close();
    }
  });
});

it('a server that cannot see its keys any more tells whoever watches over it', async () => {
  const source = { keys: fixedKeys([KEY]).keys, isCurrent: true };
  await using test = await startTestServer({ server: { keySources: [source] } });
  const metrics = async (): Promise<string> =>
    (await fetch(`${test.url}/metrics`, { headers: asKey })).text();
  expect(await metrics()).toContain('\nkikitori_keys_current 1\n');
  source.isCurrent = false;
  expect(await metrics()).toContain('\nkikitori_keys_current 0\n');
});

describe('bounds at the door', () => {
  it('a key has so many sessions; one more hears 429 and when to come back; running ones go on', async () => {
    await using test = await startTestServer({
      server: { apiKey: [KEY, 'other'], doorLimits: { sessionsPerKeyMax: 1 } },
    });
    const first = await RealtimeClient.connect(test.realtime, { headers: asKey });
    const { value } = await mint(test.url);
    for (const headers of [asKey, { authorization: `Bearer ${value}` }]) {
      expect(await refusalOf(test.realtime, { headers })).toEqual({ status: 429, retryAfter: '5' });
    }
    const second = await RealtimeClient.connect(test.realtime, {
      headers: { authorization: 'Bearer other' },
    });
    await first.send({ type: 'session.update', model: 'scripted' }, commit);
    expect((await first.next())?.type).toBe('session.created');
    await first.connection.close();
    await eventually(() => test.server.sessionCount === 1);
    const third = await connectWebSocket({ url: test.realtime.replace('http', 'ws'), headers: asKey });
    await third.close();
    await second.connection.close();
  });

  it('wrong keys and foreign pages use up their own rate, not that of a right key behind the same address', async () => {
    const bounds = { connectsPerSecond: 1, connectsBurst: 2 };
    await using test = await startTestServer({
      server: { apiKey: KEY, doorLimits: bounds, clock: new ManualClock() },
    });
    const models = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${test.url}/v1/models`, { headers })).status;
    const wrong: number[] = [];
    for (let i = 0; i < 6; i += 1) wrong.push(await models({ authorization: 'Bearer kk_wrong' }));
    expect(wrong.slice(0, 2)).toEqual([401, 401]);
    expect(wrong.at(-1)).toBe(429);
    for (let i = 0; i < 6; i += 1) {
      expect(await models({ ...asKey, origin: 'https://evil.example' })).toBe(403);
    }
    expect(await models(asKey)).toBe(200);
    const client = await RealtimeClient.connect(test.realtime, { headers: asKey });
    await client.connection.close();
    // A key has a rate all the same.
    const right: number[] = [];
    for (let i = 0; i < 4; i += 1) right.push(await models(asKey));
    expect(right.at(-1)).toBe(429);
  });

  it('behind a trusted proxy each client has a rate of its own; nobody else is believed', async () => {
    const doorLimits = { connectsPerSecond: 1, connectsBurst: 2 };
    const statuses = async (trustedProxies: readonly string[]): Promise<number[]> => {
      const clock = new ManualClock();
      await using test = await startTestServer({ server: { doorLimits, trustedProxies, clock } });
      const asked: number[] = [];
      for (let i = 0; i < 8; i += 1) {
        const headers = { 'x-forwarded-for': `192.0.2.${i}` };
        asked.push((await fetch(`${test.url}/v1/models`, { headers })).status);
      }
      return asked;
    };
    expect(await statuses(['127.0.0.1'])).toEqual(Array.from({ length: 8 }, () => 200));
    expect(await statuses([])).toContain(429);
  });

  it('a proxy that is no address is refused before the server listens', async () => {
    await expect(startTestServer({ server: { trustedProxies: ['my-proxy'] } })).rejects.toMatchObject({
      code: 'invalid_option',
    });
  });

  it('a session that could not begin leaves its place and its share of the key, and the log says why', async () => {
    const engine = createScriptedEngine({ ...SCRIPT, streamsMax: 1 });
    let isBroken = false;
    const broken = new Proxy(engine, {
      get(target, name) {
        if (name === 'info' && isBroken) throw new Error('no information');
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const server = { engine: broken, apiKey: KEY, doorLimits: { sessionsPerKeyMax: 1 } };
    await using test = await startTestServer({ server });
    isBroken = true;
    for (let i = 0; i < 3; i += 1) {
      const client = await RealtimeClient.connect(test.realtime, { headers: asKey });
      await client.rest();
      expect(client.closeCode).toBe(1011);
    }
    expect(test.log.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual(
      Array.from({ length: 3 }, () => 'A session could not begin.'),
    );
    isBroken = false;
    const client = await RealtimeClient.connect(test.realtime, { headers: asKey });
    expect((await client.next())?.type).toBe('session.created');
    await client.connection.close();
    await engine.close();
  });

  it('many connections that say nothing lock nobody out, whoever opened them', async () => {
    const httpLimits = { connectionsMax: 8, connectionsPerAddressMax: 8, waitingPerAddressMax: 4 };
    await using test = await startTestServer({ server: { httpLimits } });
    const live = await RealtimeClient.connect(test.realtime);
    await live.send({ type: 'session.update', model: 'scripted' }, commit);
    const sockets: Socket[] = [];
    for (const localAddress of ['127.0.0.1', '127.0.0.2', '127.0.0.3']) {
      for (let i = 0; i < 8; i += 1) {
        const socket = connect({ port: test.server.port, host: '127.0.0.1', localAddress });
        sockets.push(socket.on('error', () => undefined));
        await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
      }
    }
    expect((await fetch(`${test.url}/health`)).status).toBe(200);
    const second = await RealtimeClient.connect(test.realtime);
    await second.connection.close();
    expect((await live.next())?.type).toBe('session.created');
    await live.connection.close();
    for (const socket of sockets) socket.destroy();
  });

  it('an address knocks so often; then it hears 429, and health goes on answering', async () => {
    await using test = await startTestServer({
      server: { doorLimits: { connectsPerSecond: 1, connectsBurst: 3 }, clock: new ManualClock() },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) statuses.push((await fetch(`${test.url}/v1/models`)).status);
    expect(statuses.filter((status) => status === 200).length).toBeLessThan(6);
    expect(statuses.at(-1)).toBe(429);
    const refused = await refusalOf(test.realtime);
    expect(refused.status).toBe(429);
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect((await fetch(`${test.url}/health`)).status).toBe(200);
  });
});
