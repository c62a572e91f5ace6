import { connect } from 'node:net';
import { createScriptedEngine, type SpeechEngine } from '@kikitori/engine';
import { attachWebSockets } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/start-server.js';
import { eventually, SCRIPT, startTestServer, type TestServer } from '../test-server.js';
import { WyomingClient } from './wyoming-client.js';

const WYOMING = { host: '127.0.0.1', port: 0 };

async function startWyoming(
  options: Parameters<typeof startTestServer>[0] = {},
): Promise<TestServer & { readonly port: number }> {
  const test = await startTestServer({ ...options, server: { wyoming: WYOMING, ...options.server } });
  return { ...test, port: test.server.wyoming?.port ?? 0 };
}

/** A client whose first words are on their way. */
async function speaking(port: number): Promise<WyomingClient> {
  const client = new WyomingClient(port);
  client.start();
  client.hum(2000);
  await client.hears('transcript-start');
  return client;
}

describe('a call over TCP', () => {
  it('tells who asks what is served, and takes no place for it', async () => {
    await using test = await startWyoming({ engine: { languages: ['en', 'ja'], streamsMax: 1 } });
    await test.engine.open({ mode: 'live', partials: false });
    const client = new WyomingClient(test.port);
    client.say('describe');
    const { data } = await client.hears('info');
    expect(data).toMatchObject({
      asr: [
        {
          name: 'kikitori',
          installed: true,
          models: [{ name: 'scripted', languages: ['en', 'ja'], installed: true }],
          supports_transcript_streaming: true,
        },
      ],
      tts: [],
    });
    client.say('ping', { text: 'there?' });
    expect((await client.hears('pong')).data).toEqual({ text: 'there?' });
    expect(test.server.sessionCount).toBe(0);
    client.socket.destroy();
  });

  it('offers every language where those of the model are not known', async () => {
    await using test = await startWyoming({ engine: { languages: [] } });
    const client = new WyomingClient(test.port);
    client.say('describe');
    const { data } = await client.hears('info');
    expect(JSON.stringify(data)).toMatch(/"en".*"pl"/);
    client.socket.destroy();
  });

  it('answers what is said, and goes on', async () => {
    await using test = await startWyoming();
    const client = new WyomingClient(test.port);
    client.say('transcribe', { language: 'en' });
    client.start();
    for (let sent = 0; sent < 2000; sent += 100) client.hum(100);
    client.say('audio-stop');
    expect((await client.hears('transcript')).data).toEqual({ text: 'First words spoken.' });
    client.start();
    client.say('audio-stop');
    await eventually(() => client.told.filter(({ type }) => type === 'transcript').length === 2);
    expect(client.told.at(-1)?.type).toMatch(/^transcript/);
    client.socket.end();
    await client.ended;
    expect(client.types()).toBe(
      'transcript-start transcript-chunk transcript-chunk transcript-chunk transcript transcript-stop transcript-start transcript transcript-stop',
    );
    await eventually(() => test.server.sessionCount === 0);
  });

  it('answers a client that has nothing more to say', async () => {
    await using test = await startWyoming();
    const client = new WyomingClient(test.port);
    client.start();
    client.hum(2000);
    client.socket.end();
    await client.ended;
    expect(client.types()).toMatch(/transcript transcript-stop$/);
  });

  it('frees the place of a client that is gone', async () => {
    await using test = await startWyoming();
    const client = await speaking(test.port);
    expect(test.server.sessionCount).toBe(1);
    client.socket.resetAndDestroy();
    await eventually(() => test.server.sessionCount === 0);
  });

  it('says what is wrong with what came, and ends', async () => {
    await using test = await startWyoming();
    const socket = new WyomingClient(test.port);
    socket.socket.write('GET / HTTP/1.1\r\n\r\n');
    expect((await socket.hears('error')).data).toMatchObject({ code: 'frame' });
    await socket.ended;
    expect(test.server.sessionCount).toBe(0);
  });

  it('answers with what was heard where the engine fails, before the end and at it', async () => {
    await using test = await startWyoming({
      engine: { faults: [{ call: 'flush', nth: 1, effect: 'fail', code: 'engine_internal' }] },
    });
    const client = new WyomingClient(test.port);
    client.start();
    client.hum(900);
    await eventually(() => client.told.length === 3);
    test.engine.loseWorker();
    await client.hears('error');
    // A new stream of the engine begins its script anew.
    client.hum(500);
    await eventually(() => client.told.length === 5);
    client.say('audio-stop');
    expect((await client.hears('transcript')).data).toEqual({ text: 'First words First' });
    expect(client.types()).toBe(
      'transcript-start transcript-chunk transcript-chunk error transcript-chunk error transcript transcript-stop',
    );
    client.socket.destroy();
  });

  it('tells who finds every place taken, and ends', async () => {
    await using test = await startWyoming({ engine: { streamsMax: 1 } });
    const first = await speaking(test.port);
    const second = new WyomingClient(test.port);
    second.start();
    expect((await second.hears('error')).data['text']).toMatch(/taken/);
    await second.ended;
    first.socket.destroy();
  });

  it('answers what is being said before the server goes', async () => {
    await using test = await startWyoming();
    const client = await speaking(test.port);
    const idle = new WyomingClient(test.port);
    idle.say('ping');
    await idle.hears('pong');
    const drained = test.server.drain();
    await Promise.all([client.ended, idle.ended]);
    expect((await client.hears('transcript')).data).toEqual({ text: 'First words spoken.' });
    client.socket.destroy();
    idle.socket.destroy();
    await drained;
  });

  it('tells who comes before the model to come back', async () => {
    let arrive: (engine: SpeechEngine) => void = () => undefined;
    const arriving = new Promise<SpeechEngine>((resolve) => {
      arrive = resolve;
    });
    await using test = await startWyoming({ server: { engine: arriving } });
    for (const asks of ['describe', 'transcribe']) {
      const early = new WyomingClient(test.port);
      early.say(asks);
      expect((await early.hears('error')).data).toMatchObject({ code: 'loading' });
      await early.ended;
    }
    arrive(test.engine);
    await test.server.ready;
    const client = new WyomingClient(test.port);
    client.say('describe');
    await client.hears('info');
    client.socket.destroy();
  });
});

describe('the door for calls over TCP', () => {
  it('is open to those without a key, of a server that takes keys', async () => {
    await using test = await startWyoming({ server: { apiKey: 'sesame' } });
    const client = new WyomingClient(test.port);
    client.start();
    client.hum(2000);
    client.say('audio-stop');
    expect((await client.hears('transcript')).data).toEqual({ text: 'First words spoken.' });
    client.socket.destroy();
    expect((await fetch(`${test.url}/v1/models`)).status).toBe(401);
  });

  it('counts its sessions as those of one key', async () => {
    await using test = await startWyoming({
      server: { apiKey: 'sesame', doorLimits: { sessionsPerKeyMax: 1 } },
    });
    const first = await speaking(test.port);
    const second = new WyomingClient(test.port);
    second.start();
    expect((await second.hears('error')).data).toMatchObject({ code: '429' });
    for (const { socket } of [first, second]) socket.destroy();
  });

  it('does not open to other machines by itself, whatever the server has for a key', async () => {
    const engine = createScriptedEngine(SCRIPT);
    for (const keys of [{}, { apiKey: 'sesame' }]) {
      const starting = startServer({
        ...keys,
        engine,
        attach: attachWebSockets,
        port: 0,
        wyoming: { host: '0.0.0.0', port: 0 },
      });
      await expect(starting).rejects.toMatchObject({ code: 'unsafe_address' });
    }
    await engine.close();
  });

  it('says whose port is taken, and leaves the other free', async () => {
    await using test = await startWyoming();
    const engine = createScriptedEngine(SCRIPT);
    const wyoming = { host: '127.0.0.1', port: test.port };
    const starting = startServer({ engine, attach: attachWebSockets, port: 0, wyoming });
    await expect(starting).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringContaining('--wyoming'),
    });
    await engine.close();
  });

  it('ends a call that says nothing', async () => {
    await using test = await startWyoming();
    const socket = connect(test.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    await test.server.close();
    await new Promise((resolve) => socket.once('close', resolve));
  });
});
