/**
 * What somebody who means no good may try at the doors of a server, and what answers: each row of the table in
 * SECURITY.md. A session that was there before goes on through all of it and hears every word.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { ManualClock } from '@kikitori/core/manual-clock';
import { encodeFrame, OPCODE, openFrames } from '@kikitori/transport/frames';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  append,
  commit,
  deltasOf,
  final,
  RealtimeClient,
  update,
} from '../../../packages/server/test/realtime-client.js';
import { eventually, startTestServer, type TestServer } from '../../../packages/server/test/test-server.js';

const KEY = 'kk_the-key-of-these-tests';
const BEARER = { authorization: `Bearer ${KEY}` };
const WORDS = 'First words spoken.';

let test: TestServer;
let clock: ManualClock;
let session: RealtimeClient;

beforeAll(async () => {
  clock = new ManualClock();
  test = await startTestServer({
    server: {
      apiKey: KEY,
      clock,
      doorLimits: { connectsPerSecond: 10_000, connectsBurst: 10_000 },
      httpLimits: { headersTimeoutMs: 500, discardMs: 50 },
    },
  });
  session = await RealtimeClient.connect(test.realtime, { headers: BEARER });
  await session.send(update('scripted'), commit);
});

afterAll(async () => {
  await test[Symbol.asyncDispose]();
});

/** The session that runs meanwhile says one more utterance, whole. */
async function speakOn(): Promise<void> {
  await session.send(append(2_000), final);
  const events = await session.until('transcription.done');
  expect(deltasOf(events).trim()).toBe(WORDS);
  await session.send(commit);
  expect(test.log.filter(({ level }) => level === 'error')).toEqual([]);
}

const refusal = (headers: Record<string, string>, query = ''): Promise<unknown> =>
  RealtimeClient.connect(`${test.realtime}${query}`, { headers }).then(
    () => 'let in',
    (error: unknown) => error,
  );

/** Sends bytes as they are and gives what came back until the line ended. */
async function raw(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(test.server.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

async function mint(headers: Record<string, string>, seconds = 60): Promise<Response> {
  return await fetch(`${test.url}/v1/realtime/client_secrets`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ expires_after: { seconds } }),
  });
}

describe('a session goes on while somebody', () => {
  it('comes without a key, or with a wrong one: 401', async () => {
    expect(await refusal({})).toMatchObject({ httpStatus: 401 });
    expect(await refusal({ authorization: 'Bearer kk_another' })).toMatchObject({ httpStatus: 401 });
    expect((await fetch(`${test.url}/v1/models`)).status).toBe(401);
    await speakOn();
  });

  it('shows a key in the address: 401, since addresses are logged', async () => {
    expect(await refusal({}, `?token=${KEY}`)).toMatchObject({ httpStatus: 401 });
    await speakOn();
  });

  it('shows a token that has expired: 401', async () => {
    const { value } = (await (await mint(BEARER, 1)).json()) as { value: string };
    const live = await RealtimeClient.connect(`${test.realtime}?token=${value}`);
    await live.connection.close();
    clock.advance(2_000);
    expect(await refusal({ authorization: `Bearer ${value}` })).toMatchObject({ httpStatus: 401 });
    await speakOn();
  });

  it('asks for a token with a token, or for metrics: 403', async () => {
    const { value } = (await (await mint(BEARER)).json()) as { value: string };
    const headers = { authorization: `Bearer ${value}` };
    expect((await mint(headers)).status).toBe(403);
    expect((await fetch(`${test.url}/metrics`, { headers })).status).toBe(403);
    await speakOn();
  });

  it('comes from a page of another site, with the key: 403', async () => {
    const headers = { ...BEARER, origin: 'https://attacker.test' };
    expect(await refusal(headers)).toMatchObject({ httpStatus: 403 });
    expect(await refusal({ ...BEARER, origin: 'null' })).toMatchObject({ httpStatus: 403 });
    await speakOn();
  });

  it('sends headers so slowly that they never end: 408', async () => {
    const answer = await raw('GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    await speakOn();
  });

  it('connects and says nothing: 408', async () => {
    expect(await raw()).toMatch(/^HTTP\/1\.1 408 /);
    await speakOn();
  });

  it('sends huge headers: 431', async () => {
    const answer = await raw(
      `GET /health HTTP/1.1\r\nHost: localhost\r\nX-Huge: ${'x'.repeat(64 * 1024)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    await speakOn();
  });

  it('announces or sends a huge body where none is wanted: refused, and the line is not used again', async () => {
    const answers = [
      await raw(
        'POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n',
        'x'.repeat(65_536),
      ),
      (await mintHuge()).toString(),
    ];
    expect(answers[0]).toMatch(/^HTTP\/1\.1 (200|405|413) [\s\S]*connection: close/i);
    expect(answers[1]).toBe('413');
    await speakOn();
  });

  it('tries paths that lead elsewhere: 404 or 400, and no file of this machine', async () => {
    for (const path of [
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%5c..%5cetc/passwd',
      '//etc/passwd',
      '/health%00',
      '/__proto__',
    ]) {
      const answer = await raw(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${KEY}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(answer).not.toContain('root:');
    }
    await speakOn();
  });

  it('sends 100,000 frames as fast as they go: read in order, answered, bounded', async () => {
    const opening = await openFrames({
      url: `ws://127.0.0.1:${test.server.port}/v1/realtime`,
      headers: BEARER,
    });
    if (opening.kind !== 'open') throw new Error('refused');
    const { socket } = opening;
    socket.on('error', () => undefined).resume();
    const frame = encodeFrame(Buffer.from('{"type":"nonsense"}'), { opcode: OPCODE.text, maskKey: 1 });
    const thousand = Buffer.concat(Array.from({ length: 1_000 }, () => frame));
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 100 && !socket.destroyed; count += 1) {
      if (!socket.write(thousand))
        await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 * 1024 * 1024);
    await speakOn();
    socket.destroy();
  });

  it('offers compression and sends a bomb: it is not agreed on, and such a frame ends the session with 1002', async () => {
    const socket = connect(test.server.port, '127.0.0.1');
    const bytes: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => void bytes.push(chunk)).on('error', () => undefined);
    socket.write(
      `GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${KEY}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
    );
    await eventually(() => Buffer.concat(bytes).includes('\r\n\r\n'));
    expect(Buffer.concat(bytes).toString('latin1')).not.toMatch(/sec-websocket-extensions/i);
    const bomb = encodeFrame(deflateRawSync(Buffer.alloc(64 * 1024 * 1024)), {
      opcode: OPCODE.text,
      maskKey: 7,
    });
    // RSV1: "this is compressed".
    bomb[0] = (bomb[0] ?? 0) | 0x40;
    socket.write(bomb);
    await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    socket.destroy();
    expect(Buffer.concat(bytes).includes(Buffer.from([0x03, 0xea]))).toBe(true);
    await speakOn();
  });
});

async function mintHuge(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sent = request(`${test.url}/v1/realtime/client_secrets`, {
      method: 'POST',
      headers: { ...BEARER, 'content-type': 'application/json' },
    });
    sent.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      sent.destroy();
    });
    sent.on('error', reject);
    sent.end(Buffer.alloc(1024 * 1024, 0x20));
  });
}

it.each([
  ['on this machine', {}],
  ['in a network (--insecure)', { host: '0.0.0.0', insecure: true }],
] as const)(
  'without a key, %s: a page whose name was made to lead here gets 403',
  async (_where, options) => {
    await using open = await startTestServer({ server: options });
    const statusUnder = (host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const url = `http://127.0.0.1:${open.server.port}/v1/models`;
        request(url, { headers: { host, origin: `http://${host}` } }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .once('error', reject)
          .end();
      });
    expect(await statusUnder('attacker.test')).toBe(403);
    expect(await statusUnder('localhost')).toBe(200);
  },
);
