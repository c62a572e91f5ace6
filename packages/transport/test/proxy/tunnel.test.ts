import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ProxyError } from '../../src/proxy/errors.js';
import { openTunnel } from '../../src/proxy/tunnel.js';
import { ProxyServer, type ProxyServerOptions } from './proxy-server.js';

const STT = { host: 'stt.test', port: 8000 };

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A server that does this with every connection; its port. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  // It listens on TCP.
  return (server.address() as AddressInfo).port;
}

const named = (url: string) => ({ url: new URL(url), variable: 'HTTPS_PROXY' });

async function failureAt(url: string): Promise<ProxyError> {
  const error: unknown = await openTunnel(named(url), STT).then(
    (socket) => socket.destroy(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProxyError)) throw error;
  return error;
}

describe('a tunnel', () => {
  it('leads to where the proxy says the name is, with the name and password of its address', async () => {
    const port = await listening(createServer((socket) => socket.end('here')));
    await using proxy = await ProxyServer.start({ names: { 'stt.test': port }, login: 'me:s@fe%' });
    const socket = await openTunnel(named(proxy.url.replace('//', '//me:s%40fe%25@')), STT);
    let heard = '';
    for await (const chunk of socket) heard += String(chunk);
    expect([heard, ...proxy.asked]).toEqual(['here', 'stt.test:8000']);
  });

  it('names an address of IPv6 in brackets', async () => {
    await using proxy = await ProxyServer.start({ status: 403 });
    const asked = openTunnel(named(proxy.url), { host: '2001:db8::1', port: 443 });
    await expect(asked).rejects.toMatchObject({ httpStatus: 403 });
    expect(proxy.asked).toEqual(['[2001:db8::1]:443']);
  });

  it.each<[string, ProxyServerOptions, string, RegExp]>([
    ['//', { login: 'a:b' }, 'proxy_wants_login', /HTTP 407\); write a name and a password/],
    ['//me:wrong@', { login: 'a:b' }, 'proxy_login_refused', /does not accept the name/],
    ['//me@', { status: 407, headers: { 'proxy-authenticate': 'NTLM' } }, 'proxy_login_unknown', /not Basic/],
    [
      '//',
      { status: 407, headers: { 'proxy-authenticate': 'Negotiate, Basic realm="x"' } },
      'proxy_wants_login',
      /407/,
    ],
    ['//', { status: 403 }, 'proxy_refused', /HTTP 403\); ask whoever runs it/],
    ['//', { status: 503 }, 'proxy_failed', /did not reach the server \(HTTP 503\)/],
    ['//', { status: 405 }, 'not_a_proxy', /correct its address and port/],
  ])('is refused: %s %j', async (login, options, reason, sentence) => {
    await using proxy = await ProxyServer.start(options);
    const error = await failureAt(proxy.url.replace('//', login));
    expect([error.reason, error.retryable]).toEqual([reason, reason === 'proxy_failed']);
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/HTTPS_PROXY/);
    expect(error.message).not.toMatch(/wrong|127\.0\.0\.1/);
  });

  it('tells what is no proxy, and where none is', async () => {
    const mute = await listening(createServer((socket) => socket.once('data', () => socket.end())));
    const other = await listening(createServer((socket) => socket.end('220 smtp.test ESMTP\r\n')));
    const web = await listening(createHttpServer((_request, response) => response.end()));
    const port = await listening(createServer());
    await stops.pop()?.();
    const reasons = [mute, other, web].map(async (at) => (await failureAt(`http://127.0.0.1:${at}`)).reason);
    expect(await Promise.all(reasons)).toEqual(['not_a_proxy', 'not_a_proxy', 'not_a_proxy']);
    expect(await failureAt(`http://127.0.0.1:${port}`)).toMatchObject({
      reason: 'proxy_unreachable',
      retryable: true,
    });
    expect((await failureAt(`https://127.0.0.1:${other}`)).reason).toBe('proxy_tls_failed');
    expect((await failureAt('http://nowhere.invalid:3128')).reason).toBe('proxy_not_found');
  });

  it('is given up when it takes too long, and when nobody wants it any more', async () => {
    await using proxy = await ProxyServer.start({ isSilent: true });
    const late = openTunnel(named(proxy.url), STT, { timeoutMs: 20 });
    await expect(late).rejects.toMatchObject({ reason: 'proxy_timeout', code: 'connect_timeout' });
    const reason = new Error('enough');
    const leaving = new AbortController();
    const left = openTunnel(named(proxy.url), STT, { signal: leaving.signal });
    leaving.abort(reason);
    await expect(left).rejects.toBe(reason);
    await expect(openTunnel(named(proxy.url), STT, { signal: leaving.signal })).rejects.toBe(reason);
  });
});
