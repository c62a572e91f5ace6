/**
 * The way to a SageMaker endpoint, whole: client, HTTP/2 and signed event streams, the stand-in of the runtime, the bridge, a
 * Realtime server with its engine. First as people run it, then what happens when a part of it fails.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { decodeFile } from '@kikitori/audio/file';
import { type Bridge, type BridgeOptions, createBridge } from '@kikitori/bridge';
import { ClientError, connect, type Session } from '@kikitori/client';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { resolveModel } from '@kikitori/engine-moonshine';
import { createSageMakerConnect, SageMakerError } from '@kikitori/sagemaker/client';
import {
  createSageMakerRuntime,
  LOCAL_CREDENTIALS,
  type SageMakerRuntime,
} from '@kikitori/sagemaker/runtime';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
const sample = join(root, 'samples', 'ferry.flac');
const MODEL = 'tiny';

const missing = await Promise.all([resolveModel(MODEL), resolveModel('silero')]).then(
  () => '',
  (error: unknown) => (error instanceof Error ? error.message : 'unknown'),
);
if (missing !== '') process.stderr.write(`the SageMaker path on real speech is skipped: ${missing}\n`);

/** A turn of the event loop at a time; the test's own timeout is the bound. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A process and what it wrote so far. */
class Run {
  readonly child: ChildProcess;
  out = '';
  err = '';

  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [command, ...words], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.out);
      if (found !== null) return found[1] ?? found[0];
      if (this.child.exitCode !== null) throw new Error(`it ended before it wrote ${pattern}: ${this.err}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const runs: Run[] = [];
function run(words: readonly string[], env?: Readonly<Record<string, string>>): Run {
  const started = new Run(words, env);
  runs.push(started);
  return started;
}
afterEach(() => {
  for (const { child } of runs.splice(0)) child.kill('SIGKILL');
});

const silence = (lengthMs: number): Int16Array => new Int16Array(lengthMs * 16);

describe.skipIf(missing !== '')('kikitori up, with real speech', () => {
  let up: Run;
  let endpointUrl = '';
  let realtime = '';
  let authority = '';
  beforeAll(async () => {
    const ports = ['server', 'bridge', 'sagemaker', 'page'].flatMap((name) => [`--${name}-port`, '0']);
    up = new Run(['up', '--model', MODEL, '--threads', '1', ...ports]);
    endpointUrl = await up.until(/(https:\/\/localhost:\d+)/);
    realtime = await up.until(/(ws:\/\/127\.0\.0\.1:\d+)\/v1\/realtime/);
    authority = await up.until(/ (\S+authority\.pem)/);
  });
  afterAll(async () => {
    up.child.kill('SIGINT');
    expect(await up.end()).toBe(0);
    expect(up.err).toMatch(/Stopping/);
  });

  it('gives the text of the direct way', async () => {
    const through = run(['transcribe', sample, '--endpoint', 'demo', '--endpoint-url', endpointUrl]);
    expect(await through.end()).toBe(0);
    const direct = run(['transcribe', sample, '--url', realtime]);
    expect(await direct.end()).toBe(0);
    expect(through).toMatchObject({ out: direct.out, err: '' });
    expect(direct.out).toMatch(/ferry.*\n.*tickets/);
  });

  it('gives words and their times, as JSON lines', async () => {
    const words = ['transcribe', sample, '--json', '--endpoint', 'demo', '--endpoint-url', endpointUrl];
    const through = run(words);
    expect(await through.end()).toBe(0);
    const lines = through.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const finals = lines.filter(({ type }) => type === 'final');
    expect(finals[0].words[0]).toMatchObject({ text: 'Good', start_ms: expect.any(Number) });
    const text = finals.map((each) => each.text).join(' ');
    expect(lines.at(-1)).toMatchObject({ type: 'summary', text, reconnects: 0 });
  });

  it('says words while audio is still being sent', async () => {
    const blocks: Float32Array[] = [];
    for await (const block of await decodeFile(sample)) blocks.push(block);
    const speech = Float32Array.from(blocks.flatMap((block) => [...block]));
    const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
    const session = await connect({
      // What a client is told is seen only by one that does not come back by itself.
      reconnect: false,
      connect: createSageMakerConnect({
        endpointName: 'demo',
        region: 'us-east-1',
        endpointUrl,
        ca: await readFile(authority, 'utf8'),
        credentials: { accessKeyId, secretAccessKey },
      }),
    });
    const heard = session[Symbol.asyncIterator]();
    const half = 6 * 16_000;
    await session.send(speech.subarray(0, half));
    // Nothing more is sent until a word of the first half is here: had it to wait for the end, this would not go on.
    let text = '';
    while (!/ferry/.test(text)) {
      const { value, done } = await heard.next();
      if (done === true) throw new Error('it ended before a word came');
      if (value.type === 'delta') text += value.text;
    }
    await session.send(speech.subarray(half));
    const transcript = await session.finish();
    expect(transcript.text).toMatch(/ferry.*tickets/);
    await session.close();
  });
});

/** The parts in this process, on any ports, with short waits. */
class World implements AsyncDisposable {
  readonly engine: ScriptedEngine;
  readonly server: RunningServer;
  readonly bridge: Bridge;
  readonly runtime: SageMakerRuntime;

  private constructor(parts: Pick<World, 'engine' | 'server' | 'bridge' | 'runtime'>) {
    this.engine = parts.engine;
    this.server = parts.server;
    this.bridge = parts.bridge;
    this.runtime = parts.runtime;
  }

  static async open(options: { readonly streamsMax?: number } = {}): Promise<World> {
    const word = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 250 });
    const engine = createScriptedEngine({
      script: [{ words: [word('Good', 200), word('morning.', 500)] }],
      afterScript: 'repeat',
      roundMs: 1_000,
      streamsMax: options.streamsMax ?? 4,
    });
    const server = await startServer({ engine, attach: attachWebSockets, port: 0 });
    const bridge = await listenBridge({ upstream: `${server.url.replace('http', 'ws')}/v1/realtime` });
    const runtime = await startRuntime(bridge.port);
    return new World({ engine, server, bridge: bridge.bridge, runtime });
  }

  /** A session as a client opens it. */
  session(url = this.runtime.url): Promise<Session> {
    return openSession(url);
  }

  /** Nothing is left of any session, anywhere on the way. */
  async quiet(): Promise<void> {
    await eventually(
      () =>
        this.runtime.streamCount === 0 &&
        this.bridge.sessionCount === 0 &&
        this.server.sessionCount === 0 &&
        this.engine.calls.streamsOpen === 0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.destroy();
    await this.bridge.close();
    await this.server.close();
    await this.engine.close();
  }
}

async function listenBridge(
  options: Pick<BridgeOptions, 'upstream'>,
): Promise<{ bridge: Bridge; port: number }> {
  const bridge = createBridge({ host: '127.0.0.1', port: 0, ...options });
  return { bridge, port: await bridge.listen() };
}

async function startRuntime(bridgePort: number): Promise<SageMakerRuntime> {
  const runtime = await createSageMakerRuntime({
    endpoints: [{ name: 'demo', containerUrl: `ws://127.0.0.1:${bridgePort}` }],
    port: 0,
    isPlaintext: true,
    limits: { healthIntervalMs: 50 },
  });
  await runtime.whenInService();
  return runtime;
}

async function openSession(url: string): Promise<Session> {
  const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
  return await connect({
    reconnect: false,
    connect: createSageMakerConnect({
      endpointName: 'demo',
      region: 'us-east-1',
      endpointUrl: url,
      credentials: { accessKeyId, secretAccessKey },
      livenessIntervalMs: 100,
      livenessTimeoutMs: 200,
    }),
  });
}

/** Speaks one utterance to its end. */
async function speak(session: Session): Promise<string> {
  await session.send(silence(1_000));
  const { text } = await session.finish();
  await session.close();
  return text;
}

/** What ended a session that could not end in order. */
async function failureOf(session: Session): Promise<ClientError> {
  try {
    for await (const _event of session);
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
  throw new Error('the session ended in order');
}

const reasonOf = (error: ClientError): unknown =>
  error.cause instanceof SageMakerError ? error.cause.reason : error.cause;

describe('the SageMaker path, when a part of it fails', () => {
  it('refuses a session that the container refuses with its status; the next one works', async () => {
    await using world = await World.open({ streamsMax: 1 });
    const first = await world.session();
    const error: unknown = await world.session().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'refused', cause: { reason: 'model_refused', originalStatus: 503 } });
    expect(error).toMatchObject({ retryable: true });
    expect(await speak(first)).toBe('Good morning.');
    await world.quiet();
    expect(await speak(await world.session())).toBe('Good morning.');
    await world.quiet();
  });

  it('tells the client when the model server drains, after its last words', async () => {
    await using world = await World.open();
    const session = await world.session();
    await session.send(silence(1_000));
    // Whole frames of 80 ms are on their way; the rest waits here for its own.
    await eventually(() => world.engine.calls.samples >= 15_000);
    const drained = world.server.drain();
    const failure = await failureOf(session);
    expect(failure).toMatchObject({ code: 'closed', closeCode: 1012, retryable: true });
    expect(session.transcript.text).toBe('Good morning.');
    await drained;
    await world.quiet();
  });

  it('tells the client when the model server is killed, and serves the next session once it is up again', async () => {
    const port = await freePort();
    const model = ['--exec', '--', process.execPath, join(root, 'test', 'e2e', 'scripted-server.mjs')];
    const upstream = `ws://127.0.0.1:${port}/v1/realtime`;
    const bridge = run(['bridge', '--port', '0', '--upstream', upstream, '--log-level', 'info', ...model]);
    const pid = await bridge.until(/model server (\d+)\n/);
    await eventually(() => /Listening on \S+ port \d+/.test(bridge.err));
    const runtime = await startRuntime(Number(/Listening on \S+ port (\d+)/.exec(bridge.err)?.[1]));
    try {
      const session = await openSession(runtime.url);
      await session.send(silence(500));
      process.kill(Number(pid), 'SIGKILL');
      const failure = await failureOf(session);
      expect([failure.code, failure.closeCode, reasonOf(failure)]).toEqual(['closed', 1011, 'model_ended']);
      expect(failure.retryable).toBe(true);
      // The bridge holds the session until the model server is there again.
      expect(await speak(await openSession(runtime.url))).toBe('Good morning.');
      expect(bridge.out.match(/model server \d+/g)).toHaveLength(2);
    } finally {
      await runtime.destroy();
      bridge.child.kill('SIGTERM');
      expect(await bridge.end()).toBe(0);
    }
  });

  it.each([
    ['is cut', 'cut', 'line_lost'],
    ['goes silent without an end', 'silence', 'no_sign_of_life'],
  ] as const)('tells the client when the network %s; the next session works', async (_, how, reason) => {
    await using world = await World.open();
    await using line = await Line.to(world.runtime.port);
    const session = await world.session(line.url);
    await session.send(silence(500));
    line[how]();
    const failure = await failureOf(session);
    expect([failure.code, reasonOf(failure)]).toEqual(['closed', reason]);
    expect(failure.retryable).toBe(true);
    line.cut();
    await world.quiet();
    expect(await speak(await world.session())).toBe('Good morning.');
    await world.quiet();
  });
});

/** A line between a client and the stand-in that can be cut, or go silent as a cable does that was pulled. */
class Line implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Socket[];

  private constructor(server: Server, sockets: Socket[]) {
    this.#server = server;
    this.#sockets = sockets;
    // A TCP server that listens has an address object.
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(port: number): Promise<Line> {
    const sockets: Socket[] = [];
    const server = createServer((near) => {
      const far = dial(port, '127.0.0.1');
      for (const socket of [near, far]) socket.on('error', () => undefined);
      near.pipe(far);
      far.pipe(near);
      sockets.push(near, far);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Line(server, sockets);
  }

  cut(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
