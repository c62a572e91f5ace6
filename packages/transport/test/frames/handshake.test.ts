import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  applyMask,
  checkUpgrade,
  encodeCloseFrame,
  encodeFrame,
  encodeRefusal,
  encodeUpgradeAnswer,
  FrameCollector,
  newMaskKey,
  OPCODE,
  openFrames,
} from '../../src/frames/index.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listening<S extends Server | TcpServer>(server: S): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closers.push(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return `ws://127.0.0.1:${address.port}`;
}

/** A peer that answers every connection with these bytes, piece by piece, and then hangs up or not. */
function answering(pieces: readonly string[], then: 'end' | 'stay' = 'end'): Promise<string> {
  return listening(
    createTcpServer((socket) => {
      closers.push(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.once('data', () => {
        for (const piece of pieces) socket.write(piece, 'latin1');
        if (then === 'end') socket.end();
      });
    }),
  );
}

describe('openFrames', () => {
  it('opens a line to a peer of another make, both ways, and says goodbye', async () => {
    const server = createServer();
    const url = await listening(server);
    const wss = new WebSocketServer({ server, path: '/v1/realtime', handleProtocols: () => 'b' });
    wss.on('connection', (socket, request) => {
      socket.send(JSON.stringify([request.url, request.headers.authorization]));
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const opening = await openFrames({
      url: `${url}/v1/realtime?a=1`,
      headers: { Authorization: 'Bearer x' },
      protocols: ['a', 'b'],
    });
    if (opening.kind !== 'open') throw new Error('refused');
    expect(opening.protocol).toBe('b');
    const { socket } = opening;
    const collector = new FrameCollector({ role: 'client' });
    const frames: [number, string][] = [];
    const take = (chunk: Uint8Array): void => {
      collector.push(chunk);
      for (let frame = collector.next(); frame !== undefined; frame = collector.next()) {
        frames.push([frame.opcode, Buffer.from(frame.payload).toString('latin1')]);
      }
    };
    take(opening.head);
    socket.on('data', take).resume();
    socket.write(
      encodeFrame(Buffer.from('one'), { opcode: OPCODE.text, isFinal: false, maskKey: newMaskKey() }),
    );
    socket.write(encodeFrame(Buffer.from('?'), { opcode: OPCODE.ping, maskKey: newMaskKey() }));
    socket.write(encodeFrame(Buffer.from('two'), { opcode: OPCODE.continuation, maskKey: newMaskKey() }));
    socket.write(encodeCloseFrame(4001, 'enough', newMaskKey()));
    await new Promise((resolve) => socket.once('end', resolve));
    socket.destroy();
    expect(frames).toEqual([
      [OPCODE.text, '["/v1/realtime?a=1","Bearer x"]'],
      [OPCODE.pong, '?'],
      [OPCODE.text, 'onetwo'],
      [OPCODE.close, '\x0f\xa1enough'],
    ]);
  });

  it('gives a refusal with status, headers and body, whatever its form', async () => {
    const plain = ['HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 4\r\n\r\nnope'];
    const chunked = [
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Un',
      'authorized\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nno\r',
      '\n2\r\npe\r\n0\r\n\r\n',
    ];
    const untilEnd = ['HTTP/1.1 500 \r\n\r\nno', 'pe'];
    for (const [pieces, then] of [
      [plain, 'stay'],
      [chunked, 'stay'],
      [untilEnd, 'end'],
    ] as const) {
      const refusal = await openFrames({ url: await answering(pieces, then) });
      expect(refusal).toMatchObject({ kind: 'refused', isBodyCut: false });
      expect(refusal.kind === 'refused' && Buffer.from(refusal.body).toString()).toBe('nope');
    }
  });

  it('keeps no more than 16 KB of a refusal, and does not wait for a body that does not come', async () => {
    const long = await answering(['HTTP/1.1 404 Not Found\r\n\r\n', 'x'.repeat(100_000)], 'stay');
    expect(await openFrames({ url: long })).toMatchObject({
      status: 404,
      isBodyCut: true,
      body: { length: 16_384 },
    });
    const short = await answering(['HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nwait'], 'stay');
    expect(await openFrames({ url: short })).toMatchObject({
      status: 503,
      isBodyCut: true,
      body: { length: 4 },
    });
  });

  it.each([
    ['another protocol', 'SSH-2.0-x\r\n\r\n'],
    ['an endless head', `HTTP/1.1 101 x\r\nA: ${'x'.repeat(20_000)}`],
    [
      'a wrong accept',
      'HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
    ],
    ['interim answers without end', 'HTTP/1.1 103 x\r\n\r\n'.repeat(20)],
  ])('refuses %s', async (_what, answer) => {
    await expect(openFrames({ url: await answering([answer], 'stay') })).rejects.toMatchObject({
      code: 'protocol_error',
    });
  });

  it('tells apart nobody there, a hang-up, no answer in time, and the caller’s wish', async () => {
    const gone = createTcpServer();
    const goneUrl = await listening(gone);
    await new Promise((resolve) => gone.close(resolve));
    await expect(openFrames({ url: goneUrl })).rejects.toMatchObject({ code: 'connect_failed' });
    await expect(openFrames({ url: await answering(['']) })).rejects.toMatchObject({
      code: 'connect_failed',
    });
    const silent = await answering([''], 'stay');
    await expect(openFrames({ url: silent, timeoutMs: 20 })).rejects.toMatchObject({
      code: 'connect_timeout',
    });
    const controller = new AbortController();
    const opening = openFrames({ url: silent, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
  });

  it.each([
    [{ url: 'http://127.0.0.1/' }, 'invalid_url'],
    [{ url: 'ws://user:word@127.0.0.1/' }, 'invalid_url'],
    [{ url: 'ws://127.0.0.1/', headers: { 'Sec-WebSocket-Key': 'x' } }, 'invalid_argument'],
    [{ url: 'ws://127.0.0.1/', headers: { 'X-A': 'a\r\nB: c' } }, 'invalid_argument'],
  ])('refuses options that cannot work: %j', async (options, code) => {
    await expect(openFrames(options)).rejects.toMatchObject({ code });
  });
});

describe('checkUpgrade', () => {
  it('lets a client of another make in, whose frames are then read', async () => {
    const server = createServer();
    const received: string[] = [];
    server.on('upgrade', (request, socket) => {
      const check = checkUpgrade(request);
      if (!check.isValid) throw new Error('refused');
      socket.write(encodeUpgradeAnswer(check.key, { headers: { 'X-A': '1' } }));
      const collector = new FrameCollector({ role: 'server' });
      socket.on('data', (chunk: Buffer) => {
        collector.push(chunk);
        for (let frame = collector.next(); frame !== undefined; frame = collector.next()) {
          received.push(`${frame.opcode} ${frame.payload.length}`);
          if (frame.opcode === OPCODE.close) socket.end(encodeCloseFrame(1000));
          else socket.write(encodeFrame(frame.payload, { opcode: frame.opcode }));
        }
      });
    });
    const client = new WebSocket(await listening(server));
    const echoes: number[] = [];
    client.on('message', (data: Buffer) => {
      echoes.push(data.length);
      if (echoes.length === 3) client.close(1000);
    });
    await new Promise((resolve) => client.once('open', resolve));
    for (const size of [125, 126, 65_536]) client.send(Buffer.alloc(size, 7));
    await new Promise((resolve) => client.once('close', resolve));
    expect(echoes).toEqual([125, 126, 65_536]);
    expect(received).toEqual(['2 125', '2 126', '2 65536', '8 2']);
  });

  const good = {
    method: 'GET',
    httpVersion: '1.1',
    headers: {
      upgrade: 'WebSocket',
      connection: 'keep-alive, Upgrade',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    },
  };

  it('takes the example of RFC 6455 and gives its answer', () => {
    const check = checkUpgrade(good);
    expect(check.isValid && encodeUpgradeAnswer(check.key)).toContain(
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n',
    );
  });

  it.each([
    ['another method', { method: 'POST' }, {}, 400],
    ['HTTP/1.0', { httpVersion: '1.0' }, {}, 400],
    ['no upgrade', {}, { upgrade: 'h2c' }, 400],
    ['no connection header', {}, { connection: 'keep-alive' }, 400],
    ['a short key', {}, { 'sec-websocket-key': 'abc' }, 400],
    ['another version', {}, { 'sec-websocket-version': '8' }, 426],
  ])('refuses %s', (_what, request, headers, status) => {
    const check = checkUpgrade({ ...good, ...request, headers: { ...good.headers, ...headers } });
    expect(check.isValid ? 101 : check.refusal.status).toBe(status);
  });

  it('never lets a header end its line', () => {
    expect(() => encodeUpgradeAnswer('k', { headers: { 'X-A': 'a\r\nB: c' } })).toThrow();
    expect(() => encodeRefusal({ status: 403, headers: { 'X-A': 'a\nB: c' } })).toThrow();
    expect(encodeRefusal({ status: 403, headers: { connection: 'x' }, body: 'no' }).toString()).toBe(
      'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno',
    );
  });
});

describe('applyMask', () => {
  it('masks any place of any length alike, in pieces as in one go', () => {
    const reference = (bytes: Uint8Array, key: number): Uint8Array =>
      bytes.map((byte, i) => byte ^ ((key >>> (24 - (i & 3) * 8)) & 0xff));
    for (const key of [0, 1, -1, 0x01020304, -0x70000001]) {
      for (const length of [0, 1, 63, 64, 65, 200, 1027]) {
        for (let offset = 0; offset < 5; offset += 1) {
          const bytes = new Uint8Array(new ArrayBuffer(length + 8), offset, length).map((_, i) => i * 7);
          const memory = new Uint8Array(new ArrayBuffer(length + 8), offset, length);
          memory.set(bytes);
          applyMask(memory, key);
          expect(Buffer.compare(memory, reference(bytes, key))).toBe(0);
          const cut = Math.floor(length / 3);
          applyMask(memory.subarray(0, cut), key);
          applyMask(memory.subarray(cut), key, cut);
          expect(Buffer.compare(memory, bytes)).toBe(0);
        }
      }
    }
  });
});
