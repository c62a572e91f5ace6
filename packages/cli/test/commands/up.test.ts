import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpeechEngine } from '@kikitori/engine';
import { startServer } from '@kikitori/server';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineRequest } from '../../src/context.js';
import { main } from '../../src/main.js';
import { connectToEndpoint } from '../../src/sagemaker/endpoint-connect.js';
import { type MemoryContextOptions, memoryContext } from '../memory-context.js';
import { written } from '../written.js';
import { scriptedEngine, TEXT, wav } from './speech.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const ANY_PORTS = [
  ...['--server-port', '0', '--bridge-port', '0'],
  ...['--sagemaker-port', '0', '--page-port', '0'],
];

let home = '';
let speech = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kikitori-up-'));
  speech = join(home, 'speech.wav');
  await writeFile(speech, wav(4_000));
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => rm(home, { recursive: true, force: true }));

function start(words: readonly string[], options: MemoryContextOptions = {}) {
  const engine = scriptedEngine();
  const env = { KIKITORI_HOME: home, ...options.env };
  const context = memoryContext({
    ...options,
    env,
    factories: {
      createEngine: async (): Promise<SpeechEngine> => engine,
      createLogger: async () => silent,
      connect: async () => connectWebSocket,
      connectToEndpoint: (request) => connectToEndpoint(request, env),
      ...options.factories,
    },
  });
  return { context, engine, exit: main(words, context) };
}

async function transcribe(url: string, env: Record<string, string> = {}) {
  const words = ['transcribe', speech, '--endpoint', 'demo', '--endpoint-url', url];
  const { context, exit } = start(words, { env });
  return { exitCode: await exit, out: context.stdout.text, err: context.stderr.text };
}

const LINES = TEXT.replace('. ', '.\n');

/** A path of its own, and where its parts are once all of them are there. */
function startUp() {
  const started = start(['up', ...ANY_PORTS]);
  const said = (pattern: RegExp): Promise<string> => written(started.context, 'stdout', pattern);
  const addresses = (async () => {
    await said(/--endpoint demo --endpoint-url https:\/\/localhost:\d+\n/);
    return {
      page: (await said(/Open +(http:\/\/localhost:\d+)/)).replace('localhost', '127.0.0.1'),
      model: await said(/(ws:\/\/127\.0\.0\.1:\d+\/v1\/realtime)/),
      bridge: await said(/(ws:\/\/\S+\/invocations-bidirectional-stream)/),
      runtime: await said(/(https:\/\/localhost:\d+)/),
    };
  })();
  return { ...started, addresses };
}

describe('kikitori up', () => {
  it('runs the whole path: text comes back through all of it, and everything ends together', async () => {
    const { context, engine, exit, addresses } = startUp();
    const { page, model, bridge, runtime } = await addresses;
    expect(await transcribe(runtime)).toEqual({ exitCode: 0, out: `${LINES}\n`, err: '' });
    context.interrupt();
    expect(await exit).toBe(0);
    for (const address of [model, bridge, page]) {
      await expect(fetch(address.replace('ws', 'http'))).rejects.toThrow();
    }
    await expect(engine.open()).rejects.toMatchObject({ code: 'engine_closed' });
    // Nobody is there, and the notice is gone: a sentence, and no keys for whoever listens there next.
    expect(await transcribe(runtime)).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^kikitori: Nobody listens/),
    });
  });

  it('takes another port for the page when the usual one is taken and none was named', async () => {
    const { context, exit } = start(['up', ...ANY_PORTS.slice(0, -2)]);
    const first = await written(context, 'stdout', /Open +http:\/\/localhost:(\d+)/);
    const second = start(['up', ...ANY_PORTS.slice(0, -2)]);
    const port = await written(second.context, 'stdout', /Open +http:\/\/localhost:(\d+)/);
    expect(port).not.toBe(first);
    context.interrupt();
    second.context.interrupt();
    expect([await exit, await second.exit]).toEqual([0, 0]);
  });

  it('plays the region and takes the keys of its environment, also without TLS', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDOWN', AWS_SECRET_ACCESS_KEY: 'own', AWS_REGION: 'eu-west-1' };
    const { context, exit } = start(['up', ...ANY_PORTS, '--plaintext'], { env: keys });
    const url = await written(context, 'stdout', /(http:\/\/localhost:\d+) .*eu-west-1/);
    expect(await transcribe(url)).toMatchObject({ exitCode: 0 });
    // Another home knows of no stand-in there, so the keys that were chosen are used.
    const elsewhere = { ...keys, KIKITORI_HOME: join(home, 'elsewhere') };
    // AWS's chain reads the environment of the process.
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDOWN');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'own');
    expect(await transcribe(url, elsewhere)).toMatchObject({ exitCode: 0, err: '' });
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    const wrong = await transcribe(url, elsewhere);
    expect(wrong).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('The signature does not match'),
    });
    context.interrupt();
    expect(await exit).toBe(0);
  });

  it('loads nothing when a port is taken, and says which ones are free', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    // A TCP server that listens has an address object.
    const { port } = other.address() as AddressInfo;
    const createEngine = () => Promise.reject(new Error('it was loaded'));
    const words = ['up', '--server-port', '0', '--bridge-port', String(port), '--sagemaker-port', '0'];
    const { context, exit } = start(words, { factories: { createEngine } });
    expect(await exit).toBe(2);
    expect(context.stderr.text).toMatch(
      new RegExp(`^kikitori: Port ${port} is in use[^\\n]*; try "kikitori up --bridge-port \\d+"\\.\\n$`),
    );
    other.close();
  });

  it('ends at Ctrl-C while the model is still loading', async () => {
    const createEngine = ({ signal }: EngineRequest) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const { context, exit } = start(['up', ...ANY_PORTS], { factories: { createEngine } });
    await written(context, 'stderr', /loading the model/);
    context.interrupt();
    expect(await exit).toBe(130);
  });
});

describe('what kikitori up runs', () => {
  let path: ReturnType<typeof startUp>;
  beforeAll(() => {
    path = startUp();
  });
  afterAll(async () => {
    path.context.interrupt();
    expect(await path.exit).toBe(0);
  });

  it('opens to no page of another site, at none of its WebSockets', async () => {
    const { page, model, bridge } = await path.addresses;
    for (const url of [model, bridge, `${page.replace('http', 'ws')}/v1/realtime`]) {
      const led = 'attacker.test';
      for (const headers of [{ origin: `https://${led}` }, { host: led, origin: `http://${led}` }]) {
        await expect(connectWebSocket({ url, headers }), url).rejects.toMatchObject({ httpStatus: 403 });
      }
    }
  });

  it('serves the live page, and what is spoken into it goes the whole way', async () => {
    const { page } = await path.addresses;
    expect(await (await fetch(`${page}/v1/page`)).json()).toMatchObject({
      models: ['scripted'],
      languages: ['en'],
      needs_key: false,
      answered_by: 'relay',
      relay: 'the SageMaker endpoint demo, played on this machine',
    });
    const heard = start(['transcribe', speech, '--url', page.replace('http', 'ws')]);
    expect(await heard.exit).toBe(0);
    expect(heard.context.stdout.text).toBe(`${LINES}\n`);
  });

  it('is offered to browsers by serve --endpoint', async () => {
    const { runtime } = await path.addresses;
    const words = ['serve', '--port', '0', '--endpoint', 'demo', '--endpoint-url', runtime];
    const { context, exit } = start(words);
    const realtime = await written(context, 'stdout', /(ws:\/\/127\.0\.0\.1:\d+\/v1\/realtime)/);
    const heard = start(['transcribe', speech, '--url', realtime]);
    expect(await heard.exit).toBe(0);
    expect(heard.context.stdout.text).toBe(`${LINES}\n`);
    context.interrupt();
    expect(await exit).toBe(0);
  });
});

describe('kikitori sagemaker-local', () => {
  it('stands in front of any container, and says when it is up', async () => {
    const server = await startServer({ engine: scriptedEngine(), attach: attachWebSockets, port: 0 });
    const container = server.url.replace('http', 'ws');
    const { context, exit } = start(['sagemaker-local', '--port', '0', '--container', container]);
    const url = await written(context, 'stdout', /(https:\/\/localhost:\d+)/);
    await written(context, 'stderr', /endpoint demo is in service/);
    expect(await transcribe(url)).toMatchObject({ exitCode: 0, out: `${LINES}\n` });
    // As AWS's own clients are told about it.
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', undefined);
    vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2', url);
    const configured = start(['transcribe', speech, '--endpoint', 'demo']);
    expect(await configured.exit).toBe(0);
    expect(configured.context.stdout.text).toBe(`${LINES}\n`);
    context.interrupt();
    expect(await exit).toBe(0);
    await server.close();
  });

  it('says what is wrong with what it is told', async () => {
    for (const words of [
      ['--container', 'http://127.0.0.1'],
      ['--endpoint', 'not a name'],
    ]) {
      const { context, exit } = start(['sagemaker-local', '--port', '0', ...words]);
      expect(await exit).toBe(2);
      expect(context.stderr.text).toMatch(/^kikitori: [^\n]+\.\n$/);
    }
  });
});

describe('an endpoint', () => {
  it.each([
    [['--endpoint', 'demo'], 'Name the region with --region, set AWS_REGION, or give the profile one'],
    [['--endpoint', 'demo', '--url', 'ws://127.0.0.1'], 'either --url or --endpoint'],
    [['--region', 'us-east-1'], 'name one'],
    [['--endpoint', '-demo-', '--region', 'us-east-1'], 'An endpoint name has'],
    [['--endpoint', 'demo', '--region', 'nowhere'], 'A region looks like'],
    [['--endpoint', 'demo', '--endpoint-url', 'localhost:8443'], '--endpoint-url must be a URL'],
  ])('is refused with a sentence: %j', async (words, sentence) => {
    const { context, exit } = start(['transcribe', speech, ...words]);
    expect(await exit).toBe(2);
    expect(context.stderr.text).toMatch(/^kikitori: [^\n]+\.\n$/);
    expect(context.stderr.text).toContain(sentence);
  });

  it('has a model of its own', async () => {
    const { context, exit } = start(['serve', '--endpoint', 'demo', '--model', 'tiny']);
    expect(await exit).toBe(2);
    expect(context.stderr.text).toContain('leave --model, --threads');
  });
});
