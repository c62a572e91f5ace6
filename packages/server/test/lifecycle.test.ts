import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@kikitori/core/manual-clock';
import { createScriptedEngine, type SpeechEngine } from '@kikitori/engine';
import { createMemoryPair } from '@kikitori/transport';
import { attachWebSockets } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { serveConnection } from '../src/session/serve-connection.js';
import { startServer } from '../src/start-server.js';
import { append, commit, final, RealtimeClient, update } from './realtime-client.js';
import { eventually, SCRIPT, startTestServer } from './test-server.js';

describe('a drain', () => {
  it('answers running utterances, closes with 1012, and lets nobody in meanwhile', async () => {
    await using test = await startTestServer();
    const speaking = await RealtimeClient.connect(test.realtime);
    const waiting = await RealtimeClient.connect(test.realtime);
    await speaking.send(update('scripted'), commit, append(700));
    await speaking.until('transcription.delta');
    test.engine.stall();
    await speaking.send(append(700));
    await eventually(() => test.engine.calls.samples === 1400 * 16);

    const drained = test.server.drain({ deadlineMs: 60_000 });
    expect((await waiting.rest()).map((event) => event.type)).toEqual(['session.created']);
    expect(waiting.closeCode).toBe(1012);
    for (const path of ['/health', '/ping']) expect((await fetch(`${test.url}${path}`)).status).toBe(503);
    const refused = { httpStatus: 503, retryAfterMs: undefined };
    await expect(RealtimeClient.connect(test.realtime)).rejects.toMatchObject(refused);

    test.engine.release();
    const events = await speaking.rest();
    expect(events.at(-1)).toMatchObject({ type: 'transcription.done', text: ' First words spoken.' });
    expect(speaking.closeCode).toBe(1012);
    await drained;
    await expect(fetch(`${test.url}/health`)).rejects.toThrow();
    expect(test.engine.calls.streamsOpen).toBe(0);
  });

  it('ends at its deadline when an engine does not answer', async () => {
    const clock = new ManualClock();
    await using test = await startTestServer({ server: { clock } });
    const client = await RealtimeClient.connect(test.realtime);
    await client.send(update('scripted'), commit, append(450));
    await client.until('transcription.delta');
    test.engine.stall();
    await client.send(append(450), final);
    await eventually(() => test.engine.calls.flushes === 1);
    const drained = test.server.drain({ deadlineMs: 1000 });
    // A fifth of the deadline is kept for the closing handshake.
    clock.advance(800);
    await Promise.all([drained, client.rest()]);
    expect(clock.pending).toBe(0);
    expect(client.closeCode).toBe(1012);
    expect(test.engine.calls.streamsOpen).toBe(0);
  });

  it('is over at once where nothing runs, twice as well as once', async () => {
    await using test = await startTestServer();
    await Promise.all([test.server.drain(), test.server.drain(), test.server.close()]);
  });
});

describe('a session', () => {
  it('without any message is ended with its reason', async () => {
    await using test = await startTestServer({ server: { limits: { idleTimeoutMs: 30 } } });
    const client = await RealtimeClient.connect(test.realtime);
    const events = await client.rest();
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'idle_timeout' });
    expect(client.closeCode).toBe(1000);
  });

  it('that reached its longest duration is answered and ended', async () => {
    const clock = new ManualClock();
    await using test = await startTestServer({ server: { clock, limits: { sessionMsMax: 60_000 } } });
    const client = await RealtimeClient.connect(test.realtime);
    await client.send(update('scripted'), commit, append(1000));
    // Its time is over once all of that was heard, however long it takes.
    await eventually(() => test.engine.calls.samples === 16_000);
    clock.advance(60_000);
    const events = await client.rest();
    expect(events.slice(-2)).toMatchObject([
      { type: 'transcription.done', text: ' First words spoken.' },
      { type: 'error', code: 'session_expired' },
    ]);
    expect(client.closeCode).toBe(1000);
  });

  it('is logged in one line, without a word of what was said', async () => {
    await using test = await startTestServer();
    const client = await RealtimeClient.connect(test.realtime);
    const created = await client.next();
    await client.send(update('scripted'), commit, append(2000), final);
    await client.until('transcription.done');
    await client.connection.close();
    await eventually(() => test.server.sessionCount === 0);
    const lines = test.log.filter((line) => line.level === 'info');
    expect(lines).toMatchObject([
      {
        message: 'Session ended.',
        fields: { session: created?.id, audioS: 2, utterances: 1, words: 3, closeCode: 1000 },
      },
    ]);
    const { durationS, lagP95Ms } = lines[0]?.fields ?? {};
    expect([durationS, lagP95Ms].map((value) => typeof value)).toEqual(['number', 'number']);
    expect(JSON.stringify(test.log)).not.toContain('First');
  });

  it('runs over a connection inside the process', async () => {
    const engine = createScriptedEngine(SCRIPT);
    const { near, far } = createMemoryPair();
    const session = serveConnection(far, { engine });
    const client = new RealtimeClient(near);
    expect(await client.next()).toMatchObject({ type: 'session.created', id: session.id });
    await client.send(update('scripted'), commit, append(2000), final);
    const events = await client.until('transcription.done');
    expect(events.at(-1)?.text).toBe(' First words spoken.');
    await near.close();
    expect(await session.ended).toMatchObject({ closeCode: 1000, words: 3, utterances: 1 });
    expect(engine.calls.streamsOpen).toBe(0);
    await engine.close();
  });
});

describe('starting', () => {
  const engine = createScriptedEngine(SCRIPT);
  const options = { engine, attach: attachWebSockets, port: 0 };

  it('is refused on a public address without a key, unless the user insists', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com', '128.0.0.1']) {
      await expect(startServer({ ...options, host }), host).rejects.toMatchObject({ code: 'unsafe_address' });
    }
    for (const allowed of [{ apiKey: 'key' }, { insecure: true }]) {
      const server = await startServer({ ...options, ...allowed, host: '0.0.0.0' });
      await server.close();
    }
  });

  it('is fine on loopback, whatever its name', async () => {
    for (const host of ['127.0.0.1', 'localhost', '127.0.0.2']) {
      const server = await startServer({ ...options, host });
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      await server.close();
    }
  });

  it('says what is wrong with an address, a port, a key', async () => {
    const attempt = { ...options, apiKey: 'key' };
    await expect(startServer({ ...attempt, host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'address_unavailable',
    });
    await expect(startServer({ ...attempt, port: 70_000 })).rejects.toMatchObject({ code: 'invalid_option' });
    await expect(startServer({ ...attempt, apiKey: '' })).rejects.toMatchObject({ code: 'invalid_option' });
    await expect(startServer({ ...attempt, models: [] })).rejects.toMatchObject({ code: 'invalid_option' });
  });

  it('takes the port at once and answers 503 until the engine is there', async () => {
    let load = (_engine: SpeechEngine): void => undefined;
    const loaded = new Promise<SpeechEngine>((resolve) => {
      load = resolve;
    });
    const server = await startServer({ ...options, engine: loaded });
    for (const path of ['/health', '/ping', '/v1/models']) {
      const answer = await fetch(`${server.url}${path}`);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await answer.json()).toMatchObject({ error: { code: 503 } });
    }
    // Whole seconds would keep a client away for longer than it has to be: it knocks at its own pace.
    await expect(RealtimeClient.connect(`${server.url}/v1/realtime`)).rejects.toMatchObject({
      httpStatus: 503,
      retryAfterMs: undefined,
    });
    load(engine);
    await server.ready;
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const client = await RealtimeClient.connect(`${server.url}/v1/realtime`);
    expect(await client.next()).toMatchObject({ type: 'session.created' });
    expect(server.sessionCount).toBe(1);
    await server.close();
  });

  it('goes on to answer 503 when there will be no engine, and can be ended before there is one', async () => {
    const failed = await startServer({ ...options, engine: Promise.reject(new Error('no model')) });
    await expect(failed.ready).rejects.toThrow('no model');
    expect((await fetch(`${failed.url}/health`)).status).toBe(503);
    await failed.close();
    for (const end of ['close', 'drain'] as const) {
      const pending = await startServer({ ...options, engine: new Promise(() => undefined) });
      expect(pending.sessionCount).toBe(0);
      await pending[end]();
      await expect(fetch(pending.url)).rejects.toThrow();
    }
  });

  it('and closing leave no handle behind: the process ends by itself, whatever was going on', async () => {
    // In a process of its own: the test runner and `fetch` hold handles too. It is ended by the test's timeout only.
    const script = `
      import { createScriptedEngine } from '@kikitori/engine';
      import { startServer } from '@kikitori/server';
      import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
      const engine = createScriptedEngine({ script: [{ words: [{ text: 'a', startMs: 0, endMs: 500 }] }] });
      for (const end of ['close', 'drain']) {
        const server = await startServer({ engine, attach: attachWebSockets, port: 0, limits: { sessionMsMax: 900_000 } });
        const connection = await connectWebSocket({ url: server.url.replace('http', 'ws') + '/v1/realtime' });
        for (const event of [
          { type: 'session.update', model: 'scripted', kikitori: { words: true } },
          { type: 'input_audio_buffer.commit' },
          { type: 'input_audio_buffer.append', audio: Buffer.alloc(32_000).toString('base64') },
        ]) await connection.send(JSON.stringify(event));
        const reading = (async () => {
          let seen = '';
          try { for await (const message of connection.messages) seen += message; } catch {}
          return seen;
        })();
        await server[end]({ deadlineMs: 60_000 });
        await reading;
      }
      console.log('over');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = text(child.stdout);
    const [code] = await once(child, 'exit');
    expect([code, await output]).toEqual([0, 'over\n']);
  });
});
