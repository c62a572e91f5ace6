/** Who may open sessions: programs, and pages that were allowed. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bridge } from '../src/bridge.js';
import { createBridge } from '../src/bridge.js';
import { until, World } from './peers.js';

const world = new World();
afterEach(() => world.close());

/** A bridge in front of a model server that says a transcript to whoever gets through. */
async function open(options: { host?: string; allowedOrigins?: readonly string[] } = {}) {
  const upstream = await world.wsUpstream((socket) => socket.send('a transcript'));
  const made = await world.bridge({ upstream: upstream.url, ...options });
  return { ...made, upstream };
}

async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  const client = await world.wsClient(url, { headers });
  if (client.refusal === undefined) await until(() => client.texts.length === 1);
  return client.refusal?.status ?? 101;
}

describe('on loopback', () => {
  it('a page of another site opens nothing, nor does one whose name was made to lead here', async () => {
    const { url, upstream } = await open();
    expect(await statusOf(url, { origin: 'https://attacker.test' })).toBe(403);
    expect(await statusOf(url, { origin: 'null' })).toBe(403);
    const host = 'attacker.test:8080';
    expect(await statusOf(url, { host, origin: `http://${host}` })).toBe(403);
    expect(await statusOf(url, { host })).toBe(403);
    expect(upstream.sockets).toEqual([]);
    expect(world.lines.filter(({ message }) => message === 'refused').map(({ fields }) => fields)).toEqual([
      { reason: 'foreign_origin' },
      { reason: 'foreign_origin' },
      { reason: 'foreign_host' },
      { reason: 'foreign_host' },
    ]);
  });

  it('programs, pages of this machine and allowed ones do', async () => {
    const { url } = await open({ allowedOrigins: ['https://app.example.com'] });
    expect(await statusOf(url, {})).toBe(101);
    expect(await statusOf(url, { origin: 'http://localhost:5173' })).toBe(101);
    expect(await statusOf(url, { origin: 'https://app.example.com' })).toBe(101);
  });

  it('whoever is refused is told what to do', async () => {
    const { url } = await open();
    const client = await world.wsClient(url, { headers: { origin: 'https://attacker.test' } });
    expect(client.refusal?.body).toContain('--allow-origin');
  });
});

describe('at the address of a container', () => {
  it('SageMaker calls by any name; a page needs to be allowed, whatever name led it here', async () => {
    const { url, upstream } = await open({ host: '0.0.0.0' });
    expect(await statusOf(url, { host: 'model.container.example:8080' })).toBe(101);
    const port = new URL(url).port;
    const led = `attacker.test:${port}`;
    expect(await statusOf(url, { host: led, origin: `http://${led}` })).toBe(403);
    expect(await statusOf(url, { origin: 'https://attacker.test' })).toBe(403);
    expect(await statusOf(url, { origin: 'http://localhost:5173' })).toBe(403);
    expect(upstream.sockets).toHaveLength(1);
  });

  it('health is told to everybody', async () => {
    const { http } = await open({ host: '0.0.0.0' });
    const status = await new Promise<number>((resolve, reject) => {
      request(`${http}/ping`, { headers: { host: 'any.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .once('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });
});

/** A connection that says nothing; resolves with the status that it heard before its end, or nothing. */
async function silent(url: string): Promise<{ readonly ended: Promise<string> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  world.add(() => void socket.destroy());
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(heard.slice(9, 12))));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { ended };
}

describe('connections that say nothing', () => {
  it('make room for whoever asks; sessions are left alone', async () => {
    const upstream = await world.wsUpstream((socket) => socket.send('a transcript'));
    const limits = { waitingMax: 3, headMs: 30_000 };
    const { url } = await world.bridge({ upstream: upstream.url, limits });
    const live = await world.wsClient(url);
    const others = [];
    for (let i = 0; i < 6; i += 1) others.push(await silent(url));
    expect(await statusOf(url, {})).toBe(101);
    expect(await Promise.all(others.slice(0, 4).map(({ ended }) => ended))).toEqual(['', '', '', '']);
    live.socket.close(1000);
    expect(await live.closed).toMatchObject({ code: 1000 });
  });

  it('are cut when they go on: 408', async () => {
    const upstream = await world.wsUpstream(() => undefined);
    const { url } = await world.bridge({ upstream: upstream.url, limits: { headMs: 50 } });
    expect(await (await silent(url)).ended).toBe('408');
  });
});

it('refuses what is no origin before it listens', () => {
  const make = (): Bridge =>
    createBridge({ port: 0, upstream: 'ws://127.0.0.1:1/', allowedOrigins: ['example.com'] });
  expect(make).toThrow(expect.objectContaining({ code: 'invalid_option' }));
});
