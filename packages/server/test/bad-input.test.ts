/** What clients get wrong, and what overload does: each gets its answer, and the session or the server lives on. */
import { encodeBase64 } from '@kikitori/audio';
import { TransportError } from '@kikitori/transport';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer } from '../src/start-server.js';
import {
  append,
  appends,
  commit,
  deltasOf,
  type Event,
  final,
  RealtimeClient,
  update,
} from './realtime-client.js';
import { eventually, handshake, startTestServer, type TestServer } from './test-server.js';

const MIB = 1024 * 1024;

let test: TestServer;
beforeEach(async () => {
  test = await startTestServer();
});
afterEach(async () => {
  await test[Symbol.asyncDispose]();
});

async function greeted(options: { readonly messageBytesMax?: number } = {}): Promise<RealtimeClient> {
  const client = await RealtimeClient.connect(test.realtime, options);
  await client.next();
  return client;
}

/** The session still transcribes. */
async function expectAlive(client: RealtimeClient): Promise<void> {
  await client.send(update('scripted'), commit, append(2000), final);
  const events = await client.until('transcription.done');
  expect(deltasOf(events).trim()).not.toBe('');
  expect(events.at(-1)?.type).toBe('transcription.done');
}

describe('a bad message', () => {
  const cases: readonly (readonly [string, string | Uint8Array, string, string])[] = [
    ['text that is not JSON', 'hello', 'invalid_json', 'Invalid JSON'],
    ['an empty message', '', 'invalid_json', 'Invalid JSON'],
    ['two objects in one message', '{}{}', 'invalid_json', 'Invalid JSON'],
    ['a list', '[]', 'processing_error', 'Not an object: the message'],
    ['null', 'null', 'processing_error', 'Not an object: the message'],
    ['an unknown type', '{"type":"response.create"}', 'unknown_event', 'Unknown event type: response.create'],
    ['no type', '{}', 'unknown_event', 'Not a string: type'],
    ['no model', '{"type":"session.update"}', 'invalid_event', 'Missing required field: model'],
    ['no audio', '{"type":"input_audio_buffer.append"}', 'processing_error', 'Missing required field: audio'],
    [
      'a mistyped end',
      '{"type":"input_audio_buffer.commit","final":2}',
      'processing_error',
      'Not a boolean: final',
    ],
    ['odd PCM', '{"type":"input_audio_buffer.append","audio":"AAAA"}', 'invalid_audio', 'Invalid audio data'],
    ['no PCM', '{"type":"input_audio_buffer.append","audio":""}', 'invalid_audio', 'Invalid audio data'],
    [
      'broken base64',
      '{"type":"input_audio_buffer.append","audio":"AAA"}',
      'invalid_audio',
      'Invalid audio data',
    ],
    [
      'binary',
      new Uint8Array([1, 2, 3, 4]),
      'invalid_frame',
      'Binary messages are not understood: send JSON in text messages.',
    ],
  ];

  it.each(cases)('%s is answered and the session lives on', async (_name, message, code, error) => {
    const client = await greeted();
    await client.connection.send(message);
    expect(await client.next()).toEqual({ type: 'error', error, code });
    await expectAlive(client);
    await client.connection.close();
  });

  it('does not disturb the utterance that is running', async () => {
    const client = await greeted();
    await client.send(
      update('scripted'),
      commit,
      append(450),
      'nonsense',
      append(450),
      '{}',
      append(400),
      final,
    );
    const events = await client.until('transcription.done');
    expect(events.filter((event) => event.type === 'error')).toHaveLength(2);
    expect(events.at(-1)?.text).toBe(' First words spoken.');
    await client.connection.close();
  });
});

describe('sizes', () => {
  it('a message of 17 MiB closes its connection with 1009 and no other', async () => {
    const other = await greeted();
    const client = await greeted({ messageBytesMax: 32 * MIB });
    await client.connection.send('x'.repeat(17 * MIB)).catch(() => {});
    await client.rest();
    expect(client.closeCode).toBe(1009);
    await expectAlive(other);
    await other.connection.close();
    await eventually(() => test.server.sessionCount === 0);
  });

  it('a message of exactly 16 MiB is read', async () => {
    const client = await greeted();
    await client.send('x'.repeat(16 * MIB));
    expect(await client.next()).toMatchObject({ code: 'invalid_json' });
    await expectAlive(client);
    await client.connection.close();
  });

  it('20,000 tiny appends are one utterance', async () => {
    const client = await greeted();
    // Five samples; that a hundred thousand of one cost nothing is for the session's own test.
    const tiny = JSON.stringify({
      type: 'input_audio_buffer.append',
      audio: encodeBase64(new Uint8Array(10)),
    });
    await client.send(update('scripted'), ...new Array<string>(10_000).fill(tiny), commit);
    await client.send(...new Array<string>(10_000).fill(tiny), final);
    const events = await client.until('transcription.done');
    // 100,000 samples are 6.25 s: three rounds of the script and a word that has begun.
    expect(events.at(-1)?.text).toBe(`${' First words spoken.'.repeat(3)} First`);
    expect(test.engine.calls.samples).toBe(100_000);
    await client.connection.close();
  }, 60_000);

  it('ten minutes appended at once are one utterance, handed to the engine in pieces', async () => {
    const lengths: number[] = [];
    await test[Symbol.asyncDispose]();
    test = await startTestServer({ engine: { onAudio: (samples) => lengths.push(samples.length) } });
    const client = await greeted();
    // As few messages as the frame limit allows: 300 s are 12.8 MB of base64.
    const audio = encodeBase64(new Uint8Array(300 * 32_000));
    const half: Event = { type: 'input_audio_buffer.append', audio };
    await client.send(update('scripted'), commit, half, half, final);
    const events = await client.until('transcription.done');
    expect(events.at(-1)?.text).toBe(' First words spoken.'.repeat(300));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(16_000);
    await client.connection.close();
  });

  it('audio above the bound before a commit is refused, once, and what came before is kept', async () => {
    await test[Symbol.asyncDispose]();
    test = await startTestServer({ server: { limits: { queuedAudioMsMax: 2000 } } });
    const client = await greeted();
    await client.send(update('scripted'), append(1900), append(200), append(100));
    expect(await client.next()).toMatchObject({ type: 'error', code: 'buffer_full' });
    await client.send(commit, final);
    const events = await client.until('transcription.done');
    expect(events.filter(({ type }) => type === 'error')).toEqual([]);
    expect(test.engine.calls.samples).toBe(30_400);
    await client.connection.close();
  });
});

describe('a client that does not keep up', () => {
  it('and never reads: what waits for it is bounded, and it is closed with a reason', async () => {
    await test[Symbol.asyncDispose]();
    test = await startTestServer({
      server: {
        attach: (host, handlers) => attachWebSockets(host, handlers, { closeTimeoutMs: 50 }),
        limits: { outputCharsMax: 2_000, outputStallMs: 50, closeFlushMs: 10 },
      },
    });
    const client = await RealtimeClient.connect(test.realtime);
    // Every bad message is answered; nothing is read. The sockets between us fill first.
    const bad = JSON.stringify({ type: 'x'.repeat(1000) });
    const flood = (async () => {
      for (;;) await client.connection.send(bad);
    })().catch((error: unknown) => error);
    await eventually(() => test.log.some((line) => line.message === 'Session ended.'));
    expect(test.log.find((line) => line.message === 'Session ended.')?.fields).toMatchObject({
      closeCode: 1008,
    });
    client.connection.destroy();
    expect(await flood).toBeInstanceOf(TransportError);
    expect(test.server.sessionCount).toBe(0);
  }, 60_000);

  it('and vanishes in the middle of an utterance: its place is free at once', async () => {
    const client = await greeted();
    await client.send(update('scripted'), commit, append(1000));
    await client.until('transcription.delta');
    test.engine.stall();
    await client.send(...appends(32_000, 1000));
    await eventually(() => test.engine.calls.samples >= 30 * 16_000);
    client.connection.destroy();
    await eventually(() => test.engine.calls.streamsOpen === 0 && test.server.sessionCount === 0);
    expect(test.log.at(-1)?.fields).toMatchObject({ closeCode: 1006 });
  });

  it('and vanishes while the engine opens a stream for it: nothing is left behind', async () => {
    const client = await greeted();
    test.engine.stall();
    await client.send(update('scripted'), commit, append(1000));
    await eventually(() => test.engine.calls.opens === 1);
    client.connection.destroy();
    await eventually(() => test.server.sessionCount === 0);
    test.engine.release();
    expect(test.engine.calls.streamsOpen).toBe(0);
  });
});

describe('overload', () => {
  it('of 200 connections at once, those with a place work and the others are told to come back', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 200 }, () => RealtimeClient.connect(test.realtime)),
    );
    const clients = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    const refusals = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
    expect(clients).toHaveLength(4);
    expect(new Set(refusals.map((error) => [error.code, error.httpStatus].join()))).toEqual(
      new Set(['refused,503']),
    );
    for (const client of clients) {
      await client.next();
      await expectAlive(client);
    }
    expect(await test.metric('kikitori_sessions_refused_total{reason="busy"}')).toBe(196);
    await Promise.all(clients.map((client) => client.connection.close()));
    await eventually(() => test.server.sessionCount === 0);
    await expectAlive(await greeted());
  });

  it('a port in use is an error that says what to do', async () => {
    const second = startServer({
      engine: test.engine,
      attach: () => ({ close: () => Promise.resolve() }),
      port: test.server.port,
    });
    await expect(second).rejects.toMatchObject({
      name: 'ServerError',
      code: 'port_in_use',
      message: `Port ${test.server.port} is in use; choose another with --port.`,
    });
  });

  it('a handshake that never ends is cut', async () => {
    await test[Symbol.asyncDispose]();
    test = await startTestServer({ server: { httpLimits: { headersTimeoutMs: 40 } } });
    const { connect } = await import('node:net');
    const socket = connect(test.server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\n');
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    await expectAlive(await greeted());
  });
});

describe('a failing engine', () => {
  it('costs one utterance its answer; the session goes on', async () => {
    const client = await greeted();
    await client.send(update('scripted'), commit, append(450));
    expect(await client.next()).toEqual({ type: 'transcription.delta', delta: ' First' });
    test.engine.loseWorker();
    expect(await client.next()).toMatchObject({ type: 'error', code: 'processing_error' });
    await expectAlive(client);
    await client.connection.close();
  });

  it('at its Nth call, whichever that is, never hangs a session or leaks a stream', async () => {
    for (const call of ['open', 'write', 'flush'] as const) {
      for (let nth = 1; nth <= 3; nth += 1) {
        await test[Symbol.asyncDispose]();
        const fault = { call, nth, effect: 'fail', code: 'engine_internal' } as const;
        test = await startTestServer({ engine: { faults: [fault] } });
        const client = await greeted();
        await client.send(update('scripted'));
        for (let round = 0; round < 3; round += 1) {
          await client.send(commit, append(1000), append(1000), final);
          const last = (await client.until('transcription.done', 'error')).at(-1);
          expect(['transcription.done', 'error']).toContain(last?.type);
        }
        await client.connection.close();
        await eventually(() => test.server.sessionCount === 0);
        expect(test.engine.calls.streamsOpen, `${call} ${nth}`).toBe(0);
      }
    }
  });

  it('that is closed ends its sessions with 1012 and makes the server unhealthy', async () => {
    const client = await greeted();
    await client.send(update('scripted'), commit, append(450));
    await client.next();
    await test.engine.close();
    expect(await client.rest()).toMatchObject([{ type: 'error', code: 'processing_error' }]);
    expect(client.closeCode).toBe(1012);
    expect((await fetch(`${test.url}/health`)).status).toBe(503);
  });
});

describe('the door', () => {
  it('other paths are refused with 404 and a sentence that names those that are there', async () => {
    for (const path of ['/v1/realtime/', '/V1/realtime', '/']) {
      const attempt = connectWebSocket({ url: `${test.url.replace('http', 'ws')}${path}` });
      await expect(attempt).rejects.toMatchObject({ code: 'refused', httpStatus: 404 });
      const answer = await handshake(test.server.port, path);
      expect(answer.toLowerCase()).toContain('content-type: application/json');
      expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toEqual({
        error: {
          message: expect.stringMatching(
            /\/v1\/realtime.*\/invocations-bidirectional-stream.*docs\/server\.md/,
          ),
          type: 'NotFoundError',
          param: null,
          code: 404,
        },
      });
    }
    expect(await test.metric('kikitori_sessions_refused_total{reason="path"}')).toBe(6);
  });

  it("SageMaker's path and any query are let in", async () => {
    for (const path of ['/invocations-bidirectional-stream', '/v1/realtime?intent=transcription&model=x']) {
      const client = await RealtimeClient.connect(`${test.url}${path}`);
      expect(await client.next()).toMatchObject({ type: 'session.created' });
      await client.connection.close();
    }
  });

  it("SageMaker's path takes JSON in binary messages too, and answers in text", async () => {
    const client = await RealtimeClient.connect(`${test.url}/invocations-bidirectional-stream`);
    await client.next();
    for (const event of [update('scripted'), commit, append(2000), final]) {
      await client.connection.send(new TextEncoder().encode(JSON.stringify(event)));
    }
    expect((await client.until('transcription.done')).at(-1)?.text).toBe(' First words spoken.');
    await client.connection.send(new Uint8Array([0xff, 0xfe]));
    expect(await client.next()).toMatchObject({ code: 'invalid_frame' });
    await client.connection.close();
  });
});
