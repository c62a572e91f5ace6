/** `kikitori up` with a model server of somebody else at its end. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '@kikitori/server';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/free-ports.js';
import { main } from '../../src/main.js';
import { connectToEndpoint } from '../../src/sagemaker/endpoint-connect.js';
import { type MemoryContext, memoryContext } from '../memory-context.js';
import { written } from '../written.js';
import { scriptedEngine, TEXT, wav } from './speech.js';

const PROCESS = fileURLToPath(new URL('../sagemaker/model-server-process.js', import.meta.url));
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const PORTS = [
  ...['--server-port', '0', '--bridge-port', '0'],
  ...['--sagemaker-port', '0', '--page-port', '0'],
];

let home = '';
let speech = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kikitori-up-ends-'));
  speech = join(home, 'speech.wav');
  await writeFile(speech, wav(1_000));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const running: { readonly context: MemoryContext; readonly exit: Promise<number> }[] = [];
afterEach(async () => {
  for (const { context, exit } of running.splice(0)) {
    context.interrupt();
    await exit;
  }
});

function start(words: readonly string[], env: Record<string, string> = {}) {
  const own = { KIKITORI_HOME: home, ...env };
  const context = memoryContext({
    env: own,
    factories: {
      createLogger: async () => silent,
      connect: async () => connectWebSocket,
      connectToEndpoint: (request) => connectToEndpoint(request, own),
    },
  });
  const started = { context, exit: main(words, context) };
  running.push(started);
  return started;
}

/** A folder for a model server that we run, and what it left there. */
async function modelServer() {
  const folder = await mkdtemp(join(home, 'server-'));
  const pids = (): number[] => {
    const path = join(folder, 'pids');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number) : [];
  };
  return {
    command: ['--exec', '--', process.execPath, PROCESS, folder],
    pids,
    load: () => appendFileSync(join(folder, 'loaded'), ''),
    isGone: () => !pids().some(isRunning),
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Where the stand-in listens, once all of it is up. */
const runtimeOf = (context: MemoryContext): Promise<string> =>
  written(context, 'stdout', /--endpoint-url (https:\/\/localhost:\d+)\n/);

async function transcribe(url: string) {
  const { context, exit } = start(['transcribe', speech, '--endpoint', 'demo', '--endpoint-url', url]);
  return { exitCode: await exit, out: context.stdout.text };
}

describe('kikitori up --exec', () => {
  it('runs the command as a container would, says when it is in service, and puts the page in front', async () => {
    const { command, load, pids, isGone } = await modelServer();
    const { context, exit } = start(['up', ...PORTS, ...command], { SM_VLLM_MAX_MODEL_LEN: '128' });
    await written(context, 'stderr', /Listening on ports \d+, \d+, \d+; starting the model server…/);
    expect(context.stdout.text).toBe('');
    load();
    const runtime = await runtimeOf(context);
    expect(context.stdout.text).toMatch(/Model +ws:\/\/127\.0\.0\.1:\d+\/v1\/realtime +voxtral-toy, run by/);
    expect(await transcribe(runtime)).toEqual({ exitCode: 0, out: 'Good morning.\n' });
    const page = await written(context, 'stdout', /Open +http:\/\/localhost:(\d+)/);
    const told: unknown = await (await fetch(`http://127.0.0.1:${page}/v1/page`)).json();
    expect(told).toMatchObject({ models: ['voxtral-toy'] });
    // What it writes is kept back.
    expect(context.stderr.text).not.toContain('reading weights');
    context.interrupt();
    expect(await exit).toBe(0);
    expect(pids()).toHaveLength(1);
    expect(isGone()).toBe(true);
  });

  it('starts it again when it dies, and says so when it is back', async () => {
    const { command, load, pids } = await modelServer();
    const { context } = start(['up', ...PORTS, ...command]);
    load();
    const runtime = await runtimeOf(context);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await written(context, 'stderr', /The model is in service again, after \d:\d\d\./);
    expect(pids()).toHaveLength(2);
    expect(await transcribe(runtime)).toMatchObject({ exitCode: 0 });
  });

  it('shows the last words of one that does not come up, and ends with 1', async () => {
    const { command, isGone } = await modelServer();
    const { context, exit } = start(['up', ...PORTS, ...command, '--fail']);
    expect(await exit).toBe(1);
    expect(context.stderr.text).toContain('\n  no memory on this GPU\n');
    expect(context.stderr.text).toMatch(/\nkikitori: The model server ended; its own output says why\.\n$/);
    expect(isGone()).toBe(true);
  });

  it('shows all that it writes where more is to be logged, and obeys nothing in it', async () => {
    const { command } = await modelServer();
    const { context } = start(['up', ...PORTS, '--log-level', 'info', ...command]);
    await written(context, 'stderr', /reading weights/);
    expect(context.stderr.text).not.toContain('\x1b[31m');
  });

  it('ends it at Ctrl-C while it is still loading', async () => {
    const { command, pids, isGone } = await modelServer();
    const { context, exit } = start(['up', ...PORTS, ...command]);
    while (pids().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    context.interrupt();
    expect(await exit).toBe(130);
    expect(isGone()).toBe(true);
  });
});

describe('kikitori up --upstream', () => {
  const own = PORTS.slice(2);

  it('waits for a server that comes later, and leaves it running at the end', async () => {
    const port = await freePort();
    const url = `ws://127.0.0.1:${port}/v1/realtime`;
    const { context, exit } = start(['up', ...own, '--upstream', url]);
    await written(context, 'stderr', /; waiting for the server at 127\.0\.0\.1:\d+…/);
    const server = await startServer({ engine: scriptedEngine(), attach: attachWebSockets, port });
    const runtime = await runtimeOf(context);
    expect(context.stdout.text).toContain(`${url}  scripted, of another server`);
    expect(await transcribe(runtime)).toMatchObject({ out: `${TEXT.split('. ')[0]}.\n` });
    context.interrupt();
    expect(await exit).toBe(0);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    await server.close();
  });

  it.each([
    [401, 'wants a key'],
    [404, 'is --upstream the address of a Realtime server'],
  ])('says what is wrong with a server that answers with %i', async (status, sentence) => {
    const server = createServer((_request, response) => void response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // A TCP server that listens has an address object.
    const { port } = server.address() as AddressInfo;
    const { context, exit } = start(['up', ...own, '--upstream', `ws://127.0.0.1:${port}`]);
    expect(await exit).toBe(1);
    expect(context.stderr.text).toMatch(/\nkikitori: The server at 127\.0\.0\.1:\d+ [^\n]+\.\n$/);
    expect(context.stderr.text).toContain(sentence);
    server.closeAllConnections();
    server.close();
  });
});

describe('what cannot go together', () => {
  it.each([
    [['--exec'], '--exec needs the command'],
    [['--', 'vllm'], 'needs --exec before it'],
    [['--exec', '--upstream', 'ws://127.0.0.1:1', '--', 'vllm'], 'either --exec or --upstream'],
    [['--exec', '--model', 'tiny', '--', 'vllm'], 'has a model of its own'],
    [['--upstream', 'ws://127.0.0.1:1', '--threads', '2'], 'has a model of its own'],
    [['--upstream', 'ws://127.0.0.1:1', '--server-port', '9'], 'leave --server-port out'],
    [['--upstream', 'localhost'], '--upstream must be a URL'],
    [['--exec-arguments', 'none'], 'belong to --exec'],
    [['--exec', '--exec-arguments', 'some', '--', 'vllm'], '--exec-arguments must be one of'],
    [['--exec', '--', 'vllm', 'serve', '--port', '9'], 'another --port'],
  ])('is refused with a sentence: %j', async (words, sentence) => {
    const { context, exit } = start(['up', ...words]);
    expect(await exit).toBe(2);
    expect(context.stderr.text).toMatch(/^kikitori: [^\n]+\.\n$/);
    expect(context.stderr.text).toContain(sentence);
  });
});
