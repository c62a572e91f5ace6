/** The way to a SageMaker endpoint when a part of it fails: what the client hears, and that the next session works. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { ENDINGS } from '../../../packages/bridge/src/session/endings.js';
import { freePort } from '../reliability/part.js';
import { killRuns, run } from './command.js';
import {
  eventually,
  failureOf,
  openSession,
  reasonOf,
  silence,
  speak,
  startRuntime,
  WORDS,
  World,
} from './world.js';

const root = join(import.meta.dirname, '..', '..', '..');
/** More than every buffer on the way together, and less than what one without a bound would take in a second. */
const FLOOD_BYTES_MAX = 96 * 1024 * 1024;
const SENT_MS_MAX = 3_600_000;
/** Who takes nothing answers no close either: the bridge waits for both, one after the other. */
const STALL_LIMITS = { stallMs: 1_000, closeTimeoutMs: 1_000 };

afterAll(killRuns);

/** Nothing is left of the session that failed, and another one is served. */
async function nextWorks(world: World): Promise<void> {
  await world.quiet();
  expect(await speak(await world.session())).toBe(WORDS);
  await world.quiet();
}

/** A model server that says words as fast as its socket takes them, and listens to nothing. */
class Flood implements AsyncDisposable {
  readonly ended: Promise<number>;
  readonly #server: WebSocketServer;
  #sentBytes = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.ended = new Promise((resolve) => {
      server.on('connection', (socket) => {
        socket.on('error', () => undefined).once('close', resolve);
        socket.send('{"type":"session.created","id":"sess-flood","created":0}');
        this.#pour(socket);
      });
    });
  }

  static async listen(): Promise<Flood> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    return new Flood(server);
  }

  get port(): number {
    // A TCP server that listens has an address object.
    return (this.#server.address() as AddressInfo).port;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  #pour(socket: WebSocket): void {
    if (socket.readyState !== socket.OPEN) return;
    while (socket.bufferedAmount < 64 * 1024) {
      const text = JSON.stringify({ type: 'transcription.delta', delta: 'word '.repeat(1_000) });
      socket.send(text);
      this.#sentBytes += text.length;
    }
    setImmediate(() => this.#pour(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('the SageMaker path, when a part of it fails', () => {
  it('refuses a session that the container refuses with its status; the next one works', async () => {
    await using world = await World.open({ streamsMax: 1 });
    const first = await world.session();
    const error: unknown = await world.session().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'refused', cause: { reason: 'model_refused', originalStatus: 503 } });
    expect(error).toMatchObject({ retryable: true });
    expect(await speak(first)).toBe(WORDS);
    await world.quiet();
    expect(await speak(await world.session())).toBe(WORDS);
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
    expect(session.transcript.text).toBe(WORDS);
    await drained;
    await world.quiet();
  });

  // Those that mostly wait do so together; the two that fill every buffer there is, below, leave no time for the others' pings.
  it.concurrent('tells the client when the model server is killed, and serves the next session once it is up again', async () => {
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
      expect(await speak(await openSession(runtime.url))).toBe(WORDS);
      expect(bridge.out.match(/model server \d+/g)).toHaveLength(2);
    } finally {
      await runtime.destroy();
      bridge.child.kill('SIGTERM');
      expect(await bridge.end()).toBe(0);
    }
  });

  it.concurrent.each([
    ['is cut', 'cut', 'line_lost', {}],
    [
      'goes silent without an end',
      'silence',
      'no_sign_of_life',
      { livenessIntervalMs: 500, livenessTimeoutMs: 1_000 },
    ],
  ] as const)(
    'tells the client when the network %s; the next session works',
    async (_, how, reason, liveness) => {
      await using world = await World.open({ liveness });
      const session = await world.session();
      await session.send(silence(500));
      world.clientLine[how]();
      const failure = await failureOf(session);
      expect([failure.code, reasonOf(failure)]).toEqual(['closed', reason]);
      expect(failure.retryable).toBe(true);
      await nextWorks(world);
    },
  );

  it.concurrent('tells the client when the model server answers no pings; the next session works', async () => {
    await using world = await World.open({ bridgeLimits: { upstreamSilenceMsMax: 2_000 } });
    const session = await world.session();
    await session.send(silence(500));
    world.modelLine.silence();
    const failure = await failureOf(session);
    expect([failure.code, failure.closeCode, reasonOf(failure)]).toEqual(['closed', 1011, 'model_ended']);
    expect(failure.cause).toMatchObject({ closeReason: ENDINGS.upstream_silent.toClient?.reason });
    expect(failure.retryable).toBe(true);
    await nextWorks(world);
  });

  it.concurrent('tells the client when the container answers no pings; the next session works', async () => {
    const runtimeLimits = { pingIntervalMs: 200, missedPongsMax: 8, closeMs: 200 };
    await using world = await World.open({ runtimeLimits });
    const session = await world.session();
    await session.send(silence(500));
    world.containerLine.silence();
    const failure = await failureOf(session);
    expect([failure.code, failure.closeCode, reasonOf(failure)]).toEqual(['closed', 1011, 'model_ended']);
    expect(failure.cause).toMatchObject({ closeReason: 'keepalive ping timeout' });
    await nextWorks(world);
  });

  it('makes a model server wait whose client does not read, everywhere within bounds; then lets go of both', async () => {
    await using world = await World.open({ bridgeLimits: STALL_LIMITS });
    await using flood = await Flood.listen();
    world.modelLine.redirect(flood.port);
    const session = await world.session();
    const heard = session[Symbol.asyncIterator]();
    await heard.next();
    // Nobody takes anything for so long: the bridge cuts the line, which the client hears when it reads on.
    let closeCode: number | undefined;
    let waitingBytesMax = 0;
    void flood.ended.then((code) => {
      closeCode = code;
    });
    await eventually(() => {
      waitingBytesMax = Math.max(waitingBytesMax, world.bridge.waitingBytes);
      return closeCode !== undefined;
    });
    expect(closeCode).toBe(ENDINGS.client_stalled.toUpstream?.code);
    // Unread events of the client, HTTP/2's windows, and what the sockets of five lines take: all of it is bounded.
    expect(flood.sentBytes).toBeLessThan(FLOOD_BYTES_MAX);
    expect(waitingBytesMax).toBeGreaterThan(0);
    expect(waitingBytesMax).toBeLessThanOrEqual(64 * 1024 + 65 * 1024);
    const failure = await failureOf({ [Symbol.asyncIterator]: () => heard });
    expect([failure.code, reasonOf(failure)]).toEqual(['closed', 'container_lost']);
    world.modelLine.redirect(world.server.port);
    await nextWorks(world);
  });

  it('makes a client wait whose model server does not read, everywhere within bounds; then tells it so', async () => {
    await using world = await World.open({ bridgeLimits: STALL_LIMITS });
    const session = await world.session();
    await session.send(silence(500));
    world.modelLine.silence();
    const ended = failureOf(session);
    let sentMs = 0;
    const sending = (async () => {
      for (; sentMs < SENT_MS_MAX; sentMs += 1_000) await session.send(silence(1_000));
    })();
    const [sent] = await Promise.allSettled([sending]);
    expect(sent.status).toBe('rejected');
    expect(sentMs).toBeLessThan(SENT_MS_MAX);
    const failure = await ended;
    expect([failure.code, failure.closeCode, reasonOf(failure)]).toEqual(['closed', 1011, 'model_ended']);
    expect(failure.cause).toMatchObject({ closeReason: ENDINGS.upstream_stalled.toClient?.reason });
    await nextWorks(world);
  });
});
