/** Sockets from several addresses of loopback, against small bounds. */
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { TrustedProxies } from '../../src/doors/client-address.js';
import { type ConnectionShareLimits, ConnectionShares } from '../../src/doors/connection-shares.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Answers at once, but for `/held`, which waits for the test. */
async function open(limits: Partial<ConnectionShareLimits>, proxies: readonly string[] = []) {
  const held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/held') held.push(response);
    else response.end('answer');
  });
  server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
  const bounds = { connectionsMax: 100, connectionsPerAddressMax: 100, waitingPerAddressMax: 100 };
  new ConnectionShares({ ...bounds, ...limits }, new TrustedProxies(proxies)).attach(server);
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', () => resolve()));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, held };
}

class Peer {
  readonly socket: Socket;
  readonly connected: Promise<void>;
  readonly ended: Promise<'ended'>;
  heard = '';

  constructor(port: number, localAddress: string) {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    closers.push(() => this.socket.destroy());
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.heard += chunk.toString('latin1');
    });
    this.connected = new Promise((resolve) => this.socket.once('connect', () => resolve()));
    this.ended = new Promise((resolve) => this.socket.once('close', () => resolve('ended')));
  }

  static async of(port: number, address: string): Promise<Peer> {
    const peer = new Peer(port, address);
    await peer.connected;
    return peer;
  }

  send(path: string, headers = ''): void {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  }

  /** Resolves with what happens to a request: `answer`, or `ended`. */
  async ask(path = '/'): Promise<string> {
    this.heard = '';
    this.send(path);
    while (!this.heard.includes('answer')) {
      const next = new Promise((resolve) => this.socket.once('data', resolve));
      if ((await Promise.race([next, this.ended])) === 'ended') return 'ended';
    }
    return 'answer';
  }
}

/** Opens connections that say nothing, one after another. */
async function idle(port: number, address: string, count: number): Promise<readonly Peer[]> {
  const peers: Peer[] = [];
  for (let i = 0; i < count; i += 1) peers.push(await Peer.of(port, address));
  return peers;
}

describe('connections that say nothing', () => {
  it('make room, the longest silent first, for whoever comes from the same address and asks', async () => {
    const { port } = await open({ waitingPerAddressMax: 4 });
    const silent = await idle(port, '127.0.0.2', 4);
    const client = await Peer.of(port, '127.0.0.2');
    expect(await client.ask()).toBe('answer');
    expect(await silent[0]?.ended).toBe('ended');
    // The others are still there.
    for (const peer of silent.slice(1)) expect(await peer.ask()).toBe('answer');
  });

  it('make room at the bound of all, those of the address that has most', async () => {
    const { port } = await open({ connectionsMax: 6 });
    const many = await idle(port, '127.0.0.2', 4);
    const few = await idle(port, '127.0.0.3', 2);
    const client = await Peer.of(port, '127.0.0.4');
    expect(await client.ask()).toBe('answer');
    expect(await many[0]?.ended).toBe('ended');
    for (const peer of [...many.slice(1), ...few]) expect(await peer.ask()).toBe('answer');
  });

  it('wait again from the last answer on', async () => {
    const { port } = await open({ waitingPerAddressMax: 2 });
    const [first, second] = await idle(port, '127.0.0.2', 2);
    expect(await first?.ask()).toBe('answer');
    const third = await Peer.of(port, '127.0.0.2');
    expect(await second?.ended).toBe('ended');
    expect([await first?.ask(), await third.ask()]).toEqual(['answer', 'answer']);
  });
});

describe('connections that are in use', () => {
  it('are left alone: the new one is ended where its address has its share', async () => {
    const { port, held } = await open({ connectionsPerAddressMax: 2 });
    const using = await idle(port, '127.0.0.2', 2);
    const [upgraded, asking] = using;
    upgraded?.send('/', 'Connection: Upgrade\r\nUpgrade: websocket\r\n');
    const answers = asking?.ask('/held');
    while (held.length < 1 || !upgraded?.heard.includes('101')) await turn();
    expect(await new Peer(port, '127.0.0.2').ended).toBe('ended');
    expect(await (await Peer.of(port, '127.0.0.3')).ask()).toBe('answer');
    held[0]?.end('answer');
    expect(await answers).toBe('answer');
    // It waits now, so it makes room.
    const next = await Peer.of(port, '127.0.0.2');
    expect([await asking?.ended, await next.ask()]).toEqual(['ended', 'answer']);
  });
});

it('knows with TLS, too, which connection a request came over', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }]);
  const held: ServerResponse[] = [];
  const server = createTlsServer({ cert, key }, (_request, response) => void held.push(response));
  const bounds = { connectionsMax: 100, connectionsPerAddressMax: 2, waitingPerAddressMax: 100 };
  new ConnectionShares(bounds).attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  for (let count = 1; count <= 2; count += 1) {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    closers.push(() => socket.destroy());
    socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    while (held.length < count) await turn();
  }
  // Both are in use, so neither makes room.
  expect(await new Peer(port, '127.0.0.1').ended).toBe('ended');
  expect(held.map(({ destroyed }) => destroyed)).toEqual([false, false]);
});

describe('behind a trusted proxy', () => {
  const from = (client: string): string => `X-Forwarded-For: ${client}\r\n`;

  it('each client has a share, and the proxy itself no other bound than all', async () => {
    const limits = { connectionsPerAddressMax: 2, waitingPerAddressMax: 1 };
    const { port, held } = await open(limits, ['127.0.0.9']);
    const lines = await idle(port, '127.0.0.9', 4);
    lines[0]?.send('/held', from('192.0.2.1'));
    lines[1]?.send('/held', from('192.0.2.1'));
    while (held.length < 2) await turn();
    lines[2]?.send('/', from('192.0.2.1'));
    expect(await lines[2]?.ended).toBe('ended');
    lines[3]?.send('/held', from('192.0.2.2'));
    while (held.length < 3) await turn();
    // An answer gives the place back.
    held[0]?.end('answer');
    while (!lines[0]?.heard.includes('answer')) await turn();
    lines[0]?.send('/held', from('192.0.2.1'));
    while (held.length < 4) await turn();
  });

  it('nobody else is believed', async () => {
    const { port, held } = await open({ connectionsPerAddressMax: 2 });
    const lines = await idle(port, '127.0.0.2', 2);
    for (const [i, line] of lines.entries()) line.send('/held', from(`192.0.2.${i}`));
    while (held.length < 2) await turn();
    expect(await new Peer(port, '127.0.0.2').ended).toBe('ended');
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
