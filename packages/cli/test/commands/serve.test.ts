import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { connect, firstModel, servedModels } from '@kikitori/client';
import { connectWebSocket } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { VllmStandIn } from '../../../../test/vllm/stand-in.js';
import { serveStandIn } from '../../../../test/vllm/stand-in-host.js';
import type { EngineRequest } from '../../src/context.js';
import { main } from '../../src/main.js';
import { type MemoryContextOptions, memoryContext } from '../memory-context.js';
import { written } from '../written.js';
import { noise, scriptedEngine, TEXT, wav } from './speech.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function start(words: string[], options: MemoryContextOptions = {}) {
  const engine = scriptedEngine();
  const context = memoryContext({
    ...options,
    factories: {
      createEngine: async () => engine,
      createLogger: async () => silent,
      connect: async () => connectWebSocket,
      ...options.factories,
    },
  });
  return { context, engine, exit: main(['serve', '--port', '0', ...words], context) };
}

/** A port that nothing listens on. */
async function freePort(): Promise<AddressInfo> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server that listens has an address object.
  const address = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return address;
}

describe('kikitori serve', () => {
  it('serves sessions at the address that it prints, and drains at SIGTERM', async () => {
    const { context, engine, exit } = start([]);
    const url = await written(context, 'stdout', /(ws:\/\/127\.0\.0\.1:\d+\/v1\/realtime)/);
    expect(context.stdout.text).toContain('transcribe samples/ferry.flac --url');
    const session = await connect({ url });
    await session.send(noise(4_000));
    const { text } = await session.finish();
    expect(text).toBe(TEXT);
    // One that would come back by itself has to be told not to.
    const open = await connect({ url, reconnect: false });
    await open.send(noise(1_000));
    while (open.transcript.text === '') await new Promise((resolve) => setImmediate(resolve));
    context.interrupt();
    expect(await exit).toBe(0);
    // The close frame may still be on its way to us.
    if (!open.ended.aborted) await new Promise((resolve) => open.ended.addEventListener('abort', resolve));
    expect(open.ended.reason).toMatchObject({ closeCode: 1012 });
    expect(open.transcript.text).toBe('Good morning.');
    await expect(engine.open()).rejects.toMatchObject({ code: 'engine_closed' });
    await expect(fetch(url.replace('ws:', 'http:'))).rejects.toThrow();
  });

  it('answers 503 from the first moment until the model is loaded', async () => {
    let load = (): void => undefined;
    const loaded = new Promise<void>((resolve) => {
      load = resolve;
    });
    const createEngine = async ({ onProgress }: EngineRequest) => {
      onProgress({ label: 'tiny', receivedBytes: 30, totalBytes: 120 });
      await loaded;
      return scriptedEngine();
    };
    const { context, exit } = start([], { factories: { createEngine } });
    const port = await written(context, 'stderr', /port (\d+)/);
    const health = async () => (await fetch(`http://127.0.0.1:${port}/health`)).status;
    expect(await health()).toBe(503);
    // The page says what it waits for.
    const page = await fetch(`http://127.0.0.1:${port}/v1/page`);
    expect([page.status, await page.json()]).toMatchObject([
      503,
      { error: { code: 503 }, loading: { received_bytes: 30, total_bytes: 120 } },
    ]);
    await expect(connect({ url: `ws://127.0.0.1:${port}` })).rejects.toMatchObject({ httpStatus: 503 });
    load();
    await written(context, 'stdout', /(ws:)/);
    expect(await health()).toBe(200);
    context.interrupt();
    expect(await exit).toBe(0);
  });

  it('ends at Ctrl-C while the model is still loading', async () => {
    const createEngine = ({ signal }: EngineRequest) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const { context, exit } = start([], { factories: { createEngine } });
    await written(context, 'stderr', /port (\d+)/);
    context.interrupt();
    expect(await exit).toBe(130);
  });

  it('passes its flags on: model, threads, sessions, names, key', async () => {
    const requests: EngineRequest[] = [];
    const createEngine = async (request: EngineRequest) => {
      requests.push(request);
      return scriptedEngine();
    };
    const words = ['--model', 'tiny', '--threads', '2', '--max-sessions', '3', '--served-model-name', 'a, b'];
    const env = { KIKITORI_API_KEY: 'sesame' };
    const { context, exit } = start(words, { env, factories: { createEngine } });
    const url = await written(context, 'stdout', /(ws:\/\/\S+)/);
    expect(requests).toMatchObject([{ model: 'tiny', threads: 2, streamsMax: 3 }]);
    expect(await firstModel(url, { apiKey: 'sesame' })).toBe('a');
    await expect(firstModel(url)).rejects.toMatchObject({ code: 'refused' });
    expect(context.stdout.text + context.stderr.text).not.toContain('sesame');
    context.interrupt();
    await exit;
  });

  it('makes a key where it is asked for one, and shows it once', async () => {
    const { context, exit } = start(['--api-key', 'new']);
    const url = await written(context, 'stdout', /(ws:\/\/\S+)/);
    const [apiKey = ''] = /^kk_[\w-]{32}$/m.exec(context.stdout.text) ?? [];
    expect(context.stdout.text.split(apiKey)).toHaveLength(2);
    expect(context.stderr.text).not.toContain(apiKey);
    expect(await firstModel(url, { apiKey })).toBe('scripted');
    await expect(firstModel(url, { apiKey: 'new' })).rejects.toMatchObject({ code: 'refused' });
    context.interrupt();
    expect(await exit).toBe(0);
  });

  it.each(['void', 'closed'] as const)(
    'does not run with a key that nobody saw: %s',
    async (stdoutReader) => {
      const { context, engine, exit } = start(['--api-key', 'new'], { stdoutReader });
      expect(await exit).toBe(1);
      expect(context.stderr.text).toContain('The key could not be shown, so nobody could use this server.');
      expect(engine.calls.opens).toBe(0);
    },
  );

  it('opens to the keys of a file and to pages of allowed origins', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kikitori-serve-'));
    const file = join(folder, 'keys');
    const keys = memoryContext();
    expect(await main(['keys', 'add', 'page', '--api-keys', file], keys)).toBe(0);
    const flags = [
      '--api-keys',
      file,
      '--allow-origin',
      'https://a.example, https://b.example',
      '--sessions-per-key',
      '1',
    ];
    const { context, exit } = start(['--host', '0.0.0.0', ...flags]);
    const url = await written(context, 'stdout', /(ws:\/\/127\.0\.0\.1:\d+)/);
    expect(await firstModel(url, { apiKey: keys.stdout.text.trim() })).not.toBe('');
    await expect(firstModel(url, { apiKey: 'other' })).rejects.toMatchObject({ code: 'refused' });
    const models = `${url.replace('ws', 'http')}/v1/models`;
    const headers = { authorization: `Bearer ${keys.stdout.text.trim()}` };
    const ask = async (origin: string) => (await fetch(models, { headers: { ...headers, origin } })).status;
    expect([await ask('https://b.example'), await ask('https://c.example')]).toEqual([200, 403]);
    context.interrupt();
    expect(await exit).toBe(0);
    await rm(folder, { recursive: true });
    const missing = start(['--api-keys', file]);
    expect(await missing.exit).toBe(2);
    expect(missing.context.stderr.text).toContain('The key file cannot be read');
  });

  it('speaks Wyoming where it is told to', async () => {
    const { context, exit } = start(['--wyoming', '127.0.0.1:0']);
    const port = Number(await written(context, 'stdout', /Wyoming +127\.0\.0\.1 port (\d+)/));
    const socket = connectTcp(port, '127.0.0.1');
    socket.write('{"type":"describe"}\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^\{"type":"info"/);
    socket.destroy();
    context.interrupt();
    expect(await exit).toBe(0);
  });

  it('speaks TLS with a certificate that it has made, and says its fingerprint', async () => {
    const home = await mkdtemp(join(tmpdir(), 'kikitori-serve-'));
    const { context, exit } = start(['--tls-self-signed'], { env: { KIKITORI_HOME: home } });
    const port = Number(await written(context, 'stdout', /Open +https:\/\/localhost:(\d+)/));
    const [, printed] = /Certificate +SHA-256 (\S+)/.exec(context.stdout.text) ?? [];
    const ca = await readFile(join(home, 'tls', 'authority.pem'));
    const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect([socket.authorized, socket.getPeerX509Certificate()?.fingerprint256]).toEqual([true, printed]);
    socket.destroy();
    context.interrupt();
    expect(await exit).toBe(0);
    await rm(home, { recursive: true });
  });

  it('names for others the address that it is told, and lets its pages in', async () => {
    const { context, exit } = start(['--public-url', 'https://stt.example.com/stt']);
    const url = (await written(context, 'stdout', /Realtime +(\S+)\/v1/)).replace('ws', 'http');
    expect(context.stdout.text).toMatch(/Open +https:\/\/stt\.example\.com\/stt\/\n/);
    const open = async (origin: string): Promise<unknown> => {
      const headers = { 'content-type': 'application/json', origin };
      const answer = await fetch(`${url}/v1/captions/shares`, {
        method: 'POST',
        headers,
        body: '{"session":"one"}',
      });
      return answer.ok ? await answer.json() : answer.status;
    };
    expect(await open('https://stt.example.com')).toMatchObject({
      addresses: ['https://stt.example.com/stt/'],
    });
    expect(await open('https://example.com')).toBe(403);
    context.interrupt();
    expect(await exit).toBe(0);
  });

  it('relays sessions to another Realtime server, with its key, and says as what it is known and what it hears', async () => {
    const behind = start(['--served-model-name', 'voxtral'], { env: { KIKITORI_API_KEY: 'inner' } });
    const upstream = await written(behind.context, 'stdout', /(ws:\/\/127\.0\.0\.1:\d+)/);
    const env = { KIKITORI_UPSTREAM_KEY: 'inner', KIKITORI_API_KEY: 'outer' };
    const { context, engine, exit } = start(['--engine', 'vllm', '--upstream', upstream], { env });
    const url = await written(context, 'stdout', /(ws:\/\/\S+)/);
    expect(context.stdout.text).toMatch(
      /sessions go to 127\.0\.0\.1:\d+ \(voxtral\), 4 speakers at once: as many as that server has places/,
    );
    const served = { id: 'voxtral', languages: ['en'] };
    expect(await servedModels(url, { apiKey: 'outer' })).toEqual([served]);
    const page = await fetch(url.replace('ws', 'http').replace('realtime', 'page'));
    expect(await page.json()).toMatchObject({ models: ['voxtral'], languages: ['en'] });
    const session = await connect({ url, apiKey: 'outer', model: 'voxtral' });
    await session.send(noise(4_000));
    expect((await session.finish()).text).toBe(TEXT);
    await session.close();
    const form = new FormData();
    form.append('file', new Blob([wav(4_000).slice()]), 'a.wav');
    form.append('response_format', 'verbose_json');
    const headers = { authorization: 'Bearer outer' };
    const file = await fetch(url.replace('ws', 'http').replace('realtime', 'audio/transcriptions'), {
      method: 'POST',
      headers,
      body: form,
    });
    expect(await file.json()).toMatchObject({
      text: TEXT,
      segments: [{ start: 0.2, end: 0.9 }, { start: 2 }],
    });
    expect(engine.calls.samples).toBe(0);
    for (const each of [context, behind.context]) each.interrupt();
    expect([await exit, await behind.exit]).toEqual([0, 0]);
  });

  it('waits for the other server, says so everywhere, and takes sessions when it is there', async () => {
    const { port: upstreamPort } = await freePort();
    const { context, exit } = start(['--upstream', `ws://127.0.0.1:${upstreamPort}`, '--places', '7']);
    const port = await written(context, 'stderr', /port (\d+); waiting for the model server at/);
    const url = `http://127.0.0.1:${port}`;
    const ready = await fetch(`${url}/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { missing: { code: 'upstream' } }]);
    expect(await (await fetch(`${url}/v1/page`)).json()).toMatchObject({ missing: expect.any(String) });
    expect((await fetch(`${url}/health`)).status).toBe(503);
    await expect(connect({ url: `ws://127.0.0.1:${port}` })).rejects.toMatchObject({ httpStatus: 503 });
    const behind = memoryContext({
      factories: { createEngine: async () => scriptedEngine(), createLogger: async () => silent },
    });
    const behindExit = main(['serve', '--port', String(upstreamPort)], behind);
    await written(context, 'stdout', /is ready: sessions go to \S+ \(scripted\), (7) speakers at once/);
    expect(context.stderr.text).toContain(`The model server at 127.0.0.1:${upstreamPort} is there.`);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    const session = await connect({ url: `ws://127.0.0.1:${port}` });
    await session.send(noise(4_000));
    expect((await session.finish()).text).toBe(TEXT);
    for (const each of [context, behind]) each.interrupt();
    expect([await exit, await behindExit]).toEqual([0, 0]);
  });

  it('ends at Ctrl-C while it waits for the other server', async () => {
    const { port } = await freePort();
    const { context, exit } = start(['--upstream', `ws://127.0.0.1:${port}`]);
    await written(context, 'stderr', /port (\d+); waiting/);
    context.interrupt();
    expect(await exit).toBe(130);
  });

  it.each([
    ['0.17.1', {}, 'wants a key; set KIKITORI_UPSTREAM_KEY'],
    ['0.17.1', { KIKITORI_UPSTREAM_KEY: 'wrong' }, 'does not know this key'],
    ['0.17.1', { KIKITORI_UPSTREAM_KEY: 'inner' }, 'Start it without --api-key'],
    ['0.32', { KIKITORI_UPSTREAM_KEY: 'wrong' }, 'does not know this key'],
  ] as const)('says what is wrong with the key of vLLM %s: %j', async (age, env, sentence) => {
    const vllm = await serveStandIn(new VllmStandIn({ age, apiKeys: ['inner'] }));
    const { context, exit } = start(['--upstream', vllm.url], { env });
    expect(await exit).toBe(1);
    expect(context.stderr.text).toContain(sentence);
    await vllm.close();
  });

  it('takes as many sessions as the KV cache of vLLM holds, and shows how long its utterances may be', async () => {
    const vllm = await serveStandIn(new VllmStandIn({ maxModelLen: 45_000 }));
    const { context, exit } = start(['--upstream', vllm.url]);
    const url = await written(context, 'stdout', /Realtime +ws(:\/\/\S+)\/v1/);
    expect(context.stdout.text).toContain(
      '(voxtral-toy), 110 speakers at once: 204,600 tokens of KV cache, 1,860 for the longest utterance',
    );
    const models = await (await fetch(`http${url}/v1/models`)).json();
    expect(models).toMatchObject({ data: [{ id: 'voxtral-toy', max_model_len: 45_000 }] });
    expect(await (await fetch(`http${url}/metrics`)).text()).toContain('kikitori_sessions_max 110');
    context.interrupt();
    expect(await exit).toBe(0);
    await vllm.close();
  });

  it.each([
    ['', {}, 'wants a key; set KIKITORI_UPSTREAM_KEY'],
    ['', { KIKITORI_UPSTREAM_KEY: 'outer' }, 'does not know this key; correct KIKITORI_UPSTREAM_KEY'],
    ['me:secret@', {}, 'does not accept the name and the password in its address'],
  ])('says what is wrong with the key for the other server: %s %j', async (login, env, sentence) => {
    const behind = start([], { env: { KIKITORI_API_KEY: 'inner' } });
    const upstream = await written(behind.context, 'stdout', /(ws:\/\/127\.0\.0\.1:\d+)/);
    const { context, exit } = start(['--upstream', upstream.replace('//', `//${login}`)], { env });
    expect(await exit).toBe(1);
    expect(context.stderr.text).toContain(sentence);
    expect(context.stderr.text).not.toContain('secret');
    behind.context.interrupt();
    await behind.exit;
  });

  it.each([
    [['--engine', 'vllm'], 2, '--upstream ws://'],
    [['--tls-self-signed', '--tls-key', 'key.pem'], 2, 'Give either --tls-self-signed'],
    [['--engine', 'moonshine', '--upstream', 'ws://127.0.0.1:1'], 2, 'leave --upstream and --endpoint out'],
    [['--upstream', 'nonsense'], 2, '--upstream must be a URL'],
    [['--public-url', 'stt.example.com'], 2, '--public-url must be the address of the page'],
    [
      ['--public-url', 'https://me:secret@stt.example.com'],
      2,
      '--public-url must be the address of the page',
    ],
    [['--upstream', 'ws://127.0.0.1:1', '--model', 'tiny'], 2, 'leave --model'],
    [['--upstream', 'ws://127.0.0.1:1', '--delay-ms', '2000'], 2, '--delay-ms out'],
    [['--upstream', 'ws://127.0.0.1:1', '--endpoint', 'demo'], 2, 'to one place'],
    [['--places', '2', '--max-sessions', '3'], 2, 'give one of them'],
    [['--region', 'us-east-1'], 2, 'name one'],
    [['--wyoming', 'tcp://127.0.0.1'], 2, '--wyoming must be a port, or an address and a port'],
    [['--wyoming', '65536'], 2, '--wyoming must be a port, or an address and a port'],
    [['--wyoming', '0.0.0.0:0', '--api-key', 'sesame'], 2, 'Wyoming has no keys'],
  ])('answers %j with %d and a sentence', async (words, expected, sentence) => {
    const { context, exit } = start(words);
    expect(await exit).toBe(expected);
    expect(context.stderr.text).toMatch(/^kikitori: [^\n]+\n$/);
    expect(context.stderr.text).toContain(sentence);
  });

  it('knows its engines by name', async () => {
    const { context, exit } = start(['--engine', 'whisper']);
    expect(await exit).toBe(2);
    expect(context.stderr.text).toBe('kikitori: --engine must be one of: auto, moonshine, vllm.\n');
  });

  it('says in a sentence that the port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    // A TCP server that listens has an address object.
    const { port } = other.address() as AddressInfo;
    const { context, exit } = start(['--port', String(port)]);
    expect(await exit).toBe(2);
    expect(context.stderr.text).toBe(`kikitori: Port ${port} is in use; choose another with --port.\n`);
    other.close();
  });

  it('refuses a public address without a key, unless told that this is wanted; minds no variable of "bridge"', async () => {
    const refused = start(['--host', '0.0.0.0']);
    expect(await refused.exit).toBe(2);
    expect(refused.context.stderr.text).toMatch(/^kikitori: [^\n]*--insecure[^\n]*\n$/);
    const env = { KIKITORI_UPSTREAM: 'ws://127.0.0.1:8081' };
    const { context, exit } = start(['--host', '0.0.0.0', '--insecure'], { env });
    await written(context, 'stdout', /(ws:\/\/127\.0\.0\.1)/);
    context.interrupt();
    expect(await exit).toBe(0);
  });
});
