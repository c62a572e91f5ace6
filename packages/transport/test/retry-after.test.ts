import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { attachMemory, createMemoryHost } from '../src/index.js';
import { retryAfterMs } from '../src/retry-after.js';
import { connectWebSocket } from '../src/ws/node-connect.js';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe('Retry-After', () => {
  it('is whole seconds or a date, and never in the past', () => {
    const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0);
    expect(retryAfterMs('5', nowMs)).toBe(5_000);
    expect(retryAfterMs(' 0 ', nowMs)).toBe(0);
    expect(retryAfterMs('Thu, 01 Jan 2026 12:00:09 GMT', nowMs)).toBe(9_000);
    expect(retryAfterMs('Thu, 01 Jan 2026 11:00:00 GMT', nowMs)).toBe(0);
    for (const text of [undefined, '', '-1', '1.5', 'soon', '12345678901']) {
      expect(retryAfterMs(text, nowMs)).toBeUndefined();
    }
  });

  it('comes with the refusal of a handshake, over a WebSocket and in memory', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const address = server.address();
    if (address === null || typeof address === 'string')
      throw new Error('The server does not listen on TCP.');
    const refused = { code: 'refused', httpStatus: 503, retryAfterMs: 7_000 };
    await expect(connectWebSocket({ url: `ws://127.0.0.1:${address.port}/` })).rejects.toMatchObject(refused);

    const host = createMemoryHost();
    attachMemory(host, {
      admit: () => ({ accept: false, status: 503, headers: { 'Retry-After': '7' } }),
      onConnection: () => undefined,
    });
    await expect(host.connect({ url: 'ws://localhost/' })).rejects.toMatchObject(refused);
  });
});
