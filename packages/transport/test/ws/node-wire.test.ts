import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { codeOf, readAll, turns, turnsUntil } from '../../src/conformance/world.js';
import type { Admission, Connection, Handshake, Listener } from '../../src/connection.js';
import {
  type AttachOptions,
  attachWebSockets,
  connectWebSocket,
  HTTP_SERVER_DEFAULTS,
} from '../../src/ws/node.js';
import { listen, openOne, portOf } from '../worlds.js';

let server: Server;
let url: string;
let listener: Listener | undefined;
const sockets = new Set<Socket>();

beforeEach(async () => {
  server = createServer(HTTP_SERVER_DEFAULTS, (_request, response) => void response.writeHead(404).end());
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await listen(server);
  url = `ws://127.0.0.1:${portOf(server)}`;
});

afterEach(async () => {
  vi.useRealTimers();
  await listener?.close();
  listener = undefined;
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Accepts with the given answer; collects what came. */
function attach(admit: (handshake: Handshake) => Admission, options: AttachOptions = {}): Connection[] {
  const connections: Connection[] = [];
  listener = attachWebSockets(
    server,
    { admit, onConnection: (connection) => void connections.push(connection) },
    options,
  );
  return connections;
}

const ACCEPT = (): Admission => ({ accept: true });

/** A WebSocket of `ws` itself, without anything of ours. */
function rawClient(options: { readonly protocols?: string[]; readonly autoPong?: boolean } = {}): {
  socket: WebSocket;
  opened: Promise<void>;
  closed: Promise<{ code: number; reason: string }>;
} {
  const { protocols = [], autoPong = true } = options;
  const socket = new WebSocket(url, protocols, { autoPong, perMessageDeflate: true });
  socket.on('error', () => undefined);
  return {
    socket,
    opened: new Promise((resolve) => socket.once('open', () => resolve())),
    closed: new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    }),
  };
}

/** So many rounds of the event loop, also while timers stand still. */
async function loops(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Writes bytes on a TCP socket and answers everything that comes back until the other end closes. */
function exchange(...parts: (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(portOf(server), '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    for (const part of parts) socket.write(part);
  });
}

const UPGRADE = [
  'GET /v1/realtime?key=secret HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

function upgradeText(...further: string[]): string {
  return [...UPGRADE, ...further, '', ''].join('\r\n');
}

describe('a handshake', () => {
  it('tells what the peer asked for', async () => {
    const seen: Handshake[] = [];
    attach((handshake) => {
      seen.push(handshake);
      return { accept: false, status: 404 };
    });
    const connecting = connectWebSocket({
      url: `${url}/v1/realtime?a=1&b=2`,
      headers: { Authorization: 'Bearer k' },
      protocols: ['one', 'two'],
    });
    await expect(connecting).rejects.toMatchObject({ code: 'refused', httpStatus: 404 });
    expect(seen[0]).toMatchObject({
      path: '/v1/realtime',
      query: 'a=1&b=2',
      remoteAddress: '127.0.0.1',
      protocols: ['one', 'two'],
    });
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer k' });
  });

  it('is refused with the given status, headers and body, and nothing of the request', async () => {
    attach(() => ({
      accept: false,
      status: 401,
      headers: { 'content-type': 'application/json', 'WWW-Authenticate': 'Bearer' },
      body: '{"error":"Unauthorized"}',
    }));
    const answer = await exchange(upgradeText('X-Secret: abc'));
    expect(answer.split('\r\n')).toEqual([
      'HTTP/1.1 401 Unauthorized',
      'content-type: application/json',
      'WWW-Authenticate: Bearer',
      'Content-Length: 24',
      'Connection: close',
      '',
      '{"error":"Unauthorized"}',
    ]);
  });

  it('gets its answer also when the peer keeps sending, and the line ends before any deadline', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    attach(() => ({ accept: false, status: 403 }));
    const answer = await exchange(upgradeText(), new Uint8Array(1_000_000));
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    while (sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is answered with 500 when admit throws or its answer cannot be sent', async () => {
    const errors: unknown[] = [];
    const bug = new Error('bug');
    for (const answer of [
      (): Admission => {
        throw bug;
      },
      (): Admission => ({ accept: false, status: 7 }),
      (): Admission => ({ accept: false, status: 400, headers: { 'x-y': 'a\r\nSet-Cookie: b' } }),
      (): Admission => ({ accept: false, status: 400, headers: { 'bad name': 'x' } }),
    ]) {
      attach(answer, { onHandlerError: (error) => void errors.push(error) });
      expect(await exchange(upgradeText())).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
      await listener?.close();
    }
    expect(errors).toEqual([bug]);
  });

  it('must be one of WebSocket', async () => {
    const admit = vi.fn(ACCEPT);
    attach(admit);
    const text = upgradeText();
    expect(await exchange(text.replace('Upgrade: websocket', 'Upgrade: h2c'))).toMatch(/^HTTP\/1\.1 400/);
    expect(admit).not.toHaveBeenCalled();
    expect(await exchange(text.replace(/Sec-WebSocket-Key.*\r\n/, ''))).toMatch(/^HTTP\/1\.1 400/);
    expect(await exchange(text.replace('Version: 13', 'Version: 99'))).toMatch(/^HTTP\/1\.1 400/);
  });

  it('chooses the subprotocol that admit names, and none by itself', async () => {
    attach(() => ({ accept: true, protocol: 'two' }));
    const chosen = rawClient({ protocols: ['one', 'two'] });
    await chosen.opened;
    expect(chosen.socket.protocol).toBe('two');
    chosen.socket.close();
    await chosen.closed;
    await listener?.close();
    attach(ACCEPT);
    // As with vLLM: a client that offers some and gets none must fail.
    expect((await rawClient({ protocols: ['realtime'] }).closed).code).toBe(1006);
  });

  it('never negotiates compression', async () => {
    attach(ACCEPT);
    const { socket, opened, closed } = rawClient();
    await opened;
    expect(socket.extensions).toBe('');
    socket.close();
    await closed;
  });

  it('is refused with 503 above the bound of open connections, and accepted again below', async () => {
    const connections = attach(ACCEPT, { connectionsMax: 2 });
    const first = await connectWebSocket({ url });
    const second = await connectWebSocket({ url });
    await expect(connectWebSocket({ url })).rejects.toMatchObject({ httpStatus: 503, retryable: true });
    await first.close();
    await connections[0]?.close();
    const third = await connectWebSocket({ url });
    for (const connection of [second, third]) connection.destroy();
  });

  it('is bounded in header size by the HTTP server', async () => {
    attach(ACCEPT);
    const answer = await exchange(upgradeText(`X-Long: ${'x'.repeat(20_000)}`));
    expect(answer).toMatch(/^HTTP\/1\.1 431/);
  });

  it('is plain HTTP again after the listener closed, and live connections stay', async () => {
    attach(ACCEPT);
    const near = await connectWebSocket({ url });
    await listener?.close();
    await expect(connectWebSocket({ url })).rejects.toMatchObject({ code: 'refused', httpStatus: 404 });
    await near.send('alive');
    await near.close();
  });

  it('closes with 1011 when onConnection throws', async () => {
    const errors: unknown[] = [];
    listener = attachWebSockets(
      server,
      {
        admit: ACCEPT,
        onConnection: () => {
          throw new Error('bug');
        },
      },
      { onHandlerError: (error) => void errors.push(error) },
    );
    const near = await connectWebSocket({ url });
    const { error } = await readAll(near);
    expect(error).toMatchObject({ code: 'peer_closed', closeCode: 1011, closeReason: 'internal error' });
    expect(errors).toHaveLength(1);
  });
});

describe('connecting', () => {
  it('refuses addresses that are not of WebSocket, without repeating them', async () => {
    for (const address of ['http://x/', 'ftp://secret/', 'nonsense secret', '']) {
      const error = await connectWebSocket({ url: address }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'invalid_url' });
      expect((error as Error).message).not.toContain('secret');
    }
  });

  it('refuses headers that cannot be sent', async () => {
    await expect(connectWebSocket({ url, headers: { 'x-a': 'b\r\nc: d' } })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it('knows a server that is not one of WebSocket', async () => {
    server.on('upgrade', (_request: IncomingMessage, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    });
    await expect(connectWebSocket({ url })).rejects.toMatchObject({ code: 'protocol_error' });
  });

  it('gives up on a server that never answers, after its own bound', async () => {
    server.on('upgrade', () => undefined);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const failure = expect(connectWebSocket({ url })).rejects.toMatchObject({ code: 'connect_timeout' });
    await vi.advanceTimersByTimeAsync(30_000);
    await failure;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not follow redirects, so a key goes nowhere else', async () => {
    attach(() => ({ accept: false, status: 302, headers: { Location: 'ws://127.0.0.1:1/' } }));
    await expect(connectWebSocket({ url })).rejects.toMatchObject({ code: 'refused', httpStatus: 302 });
  });

  it('leaves no listener on its signal', async () => {
    attach(ACCEPT);
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    const near = await connectWebSocket({ url, signal });
    await near.send('x', { signal });
    expect(add.mock.calls.length).toBe(remove.mock.calls.length);
    await near.close();
  });
});

describe('frames', () => {
  it('of 17 MiB are answered with 1009 and the limit', async () => {
    const connections = attach(ACCEPT);
    const { socket, opened, closed } = rawClient();
    await opened;
    socket.send('x'.repeat(17 * 1024 * 1024));
    expect(await closed).toEqual({ code: 1009, reason: 'frame exceeds limit of 16777216 bytes' });
    const [connection] = connections;
    expect(connection && (await readAll(connection)).error).toMatchObject({
      code: 'message_too_big',
      closeCode: 1009,
    });
  });

  it('of text that is not UTF-8 are answered with 1007', async () => {
    const connections = attach(ACCEPT);
    const { socket, opened, closed } = rawClient();
    await opened;
    socket.send(Uint8Array.of(0xc3, 0x28), { binary: false });
    expect((await closed).code).toBe(1007);
    const [connection] = connections;
    expect(connection && (await readAll(connection)).error).toMatchObject({ code: 'invalid_utf8' });
  });

  it('that break the rules are answered with 1002', async () => {
    const connections = attach(ACCEPT);
    // An unmasked text frame from a client.
    const answer = await exchange(upgradeText(), Uint8Array.of(0x81, 0x01, 0x41));
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe('\x88\x02\x03\xea');
    const [connection] = connections;
    expect(connection && (await readAll(connection)).error).toMatchObject({ code: 'protocol_error' });
  });

  it('split into fragments arrive as one message', async () => {
    const connections = attach(ACCEPT);
    const { socket, opened, closed } = rawClient();
    await opened;
    socket.send('one ', { fin: false });
    socket.send('message', { fin: true });
    socket.close();
    await closed;
    const [connection] = connections;
    expect(connection && (await readAll(connection)).messages).toEqual(['one message']);
  });

  it('that come with the handshake are not lost', async () => {
    const connections = attach(ACCEPT);
    const masked = Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x41);
    const closeFrame = Uint8Array.of(0x88, 0x80, 0, 0, 0, 0);
    await exchange(Buffer.concat([Buffer.from(upgradeText()), masked, closeFrame]));
    const [connection] = connections;
    expect(connection && (await readAll(connection)).messages).toEqual(['A']);
  });
});

describe('a peer that does not answer', () => {
  it('is closed with 1011 after a ping without pong', async () => {
    const connections = attach(ACCEPT, { pingIntervalMs: 10, pongTimeoutMs: 10 });
    const { closed } = rawClient({ autoPong: false });
    expect(await closed).toEqual({ code: 1011, reason: 'keepalive ping timeout' });
    const [connection] = connections;
    const ending = connection && (await readAll(connection)).error;
    expect(ending).toMatchObject({ code: 'keepalive_timeout', closeCode: 1011, retryable: true });
  });

  it('is not called dead for silence while it is not read, and is again once it is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const connections = attach(ACCEPT, { pingIntervalMs: 20_000, pongTimeoutMs: 20_000 });
    const { socket, opened, closed } = rawClient({ autoPong: false });
    await opened;
    while (connections.length === 0) await loops(1);
    // More than is held unread: the server stops reading, and whatever follows waits in the socket.
    for (let n = 0; n < 64; n += 1) socket.send(Buffer.alloc(256 * 1024));
    await loops(200);
    for (let minute = 0; minute < 10; minute += 1) {
      await vi.advanceTimersByTimeAsync(60_000);
      await loops(2);
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
    let read = 0;
    const reading = (async () => {
      for await (const message of connections[0]?.messages ?? []) read += message.length;
    })().catch(() => undefined);
    let code: number | undefined;
    void closed.then((end) => {
      code = end.code;
    });
    while (code === undefined) {
      await loops(20);
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect(code).toBe(1011);
    expect(read).toBe(64 * 256 * 1024);
    await reading;
  });

  it('is cut when it does not confirm a close', async () => {
    const { near, far } = await openOne(server, () => connectWebSocket({ url }), { closeTimeoutMs: 10 });
    // Stops the peer's reading: a process that hangs.
    for (const socket of sockets) socket.pause();
    await far.close(1000);
    expect(await turnsUntil(() => sockets.size === 0, 1000)).toBe(true);
    expect(codeOf((await readAll(near)).error)).toBeUndefined();
  });
});

describe('a connection that has ended', () => {
  it('did not wait for the deadline although its peer was stuck in sending', async () => {
    const tuning = { pingIntervalMs: Number.POSITIVE_INFINITY };
    const { near, far } = await openOne(server, () => connectWebSocket({ url }, tuning), tuning);
    const sends: Promise<unknown>[] = [];
    for (let isWaiting = false; !isWaiting; ) {
      const send = far.send('x'.repeat(64 * 1024)).catch(() => undefined);
      sends.push(send);
      isWaiting = await Promise.race([send.then(() => false), turns(30).then(() => true)]);
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await near.close();
    await far.close();
    expect(vi.getTimerCount()).toBe(0);
    await Promise.all(sends);
  });

  it('leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { near, far } = await openOne(server, () => connectWebSocket({ url }));
    expect(vi.getTimerCount()).toBe(2);
    await Promise.all([near.close(), far.close()]);
    expect(vi.getTimerCount()).toBe(0);
    const second = await openOne(server, () => connectWebSocket({ url }));
    second.near.destroy();
    await readAll(second.far);
    await second.near.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
