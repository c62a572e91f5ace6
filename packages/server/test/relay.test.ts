import { ManualClock } from '@kikitori/core/manual-clock';
import {
  type Connect,
  type Connection,
  createMemoryPair,
  type Message,
  TransportError,
} from '@kikitori/transport';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import { describe, expect, it, vi } from 'vitest';
import { SESSION_LIMITS } from '../src/limits.js';
import type { RelayTarget } from '../src/relay/relay-host.js';
import { type RunningServer, type StartServerOptions, startServer } from '../src/start-server.js';
import { append, commit, deltasOf, final, RealtimeClient, update } from './realtime-client.js';
import { eventually, startTestServer } from './test-server.js';

const created = '{"type":"session.created","id":"sess-far","created":1}';
const done = '{"type": "transcription.done",  "text": " Ça va.", "usage": null}';

/** A relay whose other server is the test itself. */
class World implements AsyncDisposable {
  readonly server: RunningServer;
  readonly #far: Far[];

  private constructor(server: RunningServer, far: Far[]) {
    this.server = server;
    this.#far = far;
  }

  static async open(
    options: Partial<StartServerOptions> & { readonly target?: Partial<RelayTarget> } = {},
  ): Promise<World> {
    const far: Far[] = [];
    const connect: Connect = async () => {
      const pair = createMemoryPair();
      far.push(new Far(pair.far));
      return pair.near;
    };
    const { target, ...rest } = options;
    const relay = { connect, ...target };
    return new World(await startServer({ attach: attachWebSockets, port: 0, ...rest, relay }), far);
  }

  get url(): string {
    return `${this.server.url}/v1/realtime`;
  }

  /** A client, and what its session reached. */
  async session(): Promise<{ readonly client: RealtimeClient; readonly far: Far }> {
    const count = this.#far.length;
    const client = await RealtimeClient.connect(this.url);
    return { client, far: await this.reached(count) };
  }

  /** The other end of the session with this number. */
  async reached(index: number): Promise<Far> {
    await eventually(() => this.#far.length > index);
    const far = this.#far[index];
    if (far === undefined) throw new Error('no such session');
    return far;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

/** The other server's end of a session. */
class Far {
  readonly connection: Connection;
  readonly came: Message[] = [];
  /** `clean`, or the code of what ended it. */
  end: string | undefined;

  constructor(connection: Connection) {
    this.connection = connection;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      for await (const message of this.connection.messages) this.came.push(message);
      this.end = 'clean';
    } catch (error) {
      this.end = error instanceof TransportError ? error.code : 'unknown';
    }
  }

  async say(...messages: readonly Message[]): Promise<void> {
    for (const message of messages) await this.connection.send(message);
  }
}

describe('a relayed session', () => {
  it('carries messages as they are, in order, in both directions', async () => {
    await using world = await World.open();
    const client = await connectWebSocket({ url: world.url.replace('http', 'ws') });
    const far = await world.reached(0);
    const up = [
      '{"type" : "session.update","model":""}',
      'not json',
      '{"audio":"聞"}',
      '',
      Uint8Array.of(0, 255),
    ];
    for (const message of up) await client.send(message);
    await far.say(created, Uint8Array.of(7, 8), done);
    await eventually(() => far.came.length === up.length);
    expect(far.came).toEqual(up);
    const down: Message[] = [];
    for await (const message of client.messages) {
      down.push(message);
      if (message === done) break;
    }
    expect(down).toEqual([created, Uint8Array.of(7, 8), done]);
  });

  it('gives the same transcript as the server behind it', async () => {
    await using behind = await startTestServer();
    const relay = { connect: connectWebSocket, url: behind.realtime.replace('http', 'ws') };
    await using world = await World.open({ target: relay });
    const client = await RealtimeClient.connect(world.url);
    await client.send(update('scripted'), commit, append(2000), final);
    const events = await client.until('transcription.done');
    expect(events.map(({ type }) => type)[0]).toBe('session.created');
    expect(deltasOf(events)).toBe(' First words spoken.');
    await client.connection.close();
    await eventually(() => behind.server.sessionCount === 0 && world.server.sessionCount === 0);
    expect(behind.engine.calls.streamsOpen).toBe(0);
  });

  it.each([
    [1000, '', 1000, undefined],
    [1012, 'service restart', 1012, 'service restart'],
    [4001, 'of its own', 4001, 'of its own'],
  ])(
    'tells the client when the other server closes with %d, after its last words',
    async (code, reason, heard, words) => {
      await using world = await World.open();
      const { client, far } = await world.session();
      await far.say(created, done);
      await far.connection.close(code, reason);
      expect((await client.rest()).map(({ type }) => type)).toEqual([
        'session.created',
        'transcription.done',
      ]);
      expect([client.closeCode, client.closeReason]).toEqual([heard, words]);
      await eventually(() => world.server.sessionCount === 0);
    },
  );

  it('is ended with 1014 when the other server is lost, and counted', async () => {
    await using world = await World.open();
    const { client, far } = await world.session();
    far.connection.destroy();
    await client.rest();
    expect(client.closeCode).toBe(1014);
    const metrics = await (await fetch(`${world.server.url}/metrics`)).text();
    expect(metrics).toContain('kikitori_upstream_failures_total{code="connection_lost"} 1');
  });

  it.each([
    [new TransportError('refused', 'No.', { httpStatus: 503 }), 1013],
    [new TransportError('connect_failed', 'No.'), 1013],
    [new TransportError('refused', 'No.', { httpStatus: 403 }), 1011],
    [new Error('a bug'), 1013],
  ])('is ended when the other server is not reached: %s', async (error, code) => {
    await using world = await World.open({ target: { connect: () => Promise.reject(error) } });
    const client = await RealtimeClient.connect(world.url);
    expect(await client.rest()).toEqual([]);
    expect(client.closeCode).toBe(code);
    await eventually(() => world.server.sessionCount === 0);
  });

  it('is given up when the other server does not answer in time', async () => {
    const clock = new ManualClock();
    const connect: Connect = ({ signal }) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    await using world = await World.open({ clock, target: { connect } });
    const client = await RealtimeClient.connect(world.url);
    clock.advance(60_000);
    await client.rest();
    expect(client.closeCode).toBe(1013);
  });

  it('closes the other server when the client leaves, in order or not, also before it is reached', async () => {
    await using world = await World.open();
    const inOrder = await world.session();
    await inOrder.client.connection.close();
    await eventually(() => inOrder.far.end === 'clean');
    const vanished = await world.session();
    vanished.client.connection.destroy();
    await eventually(() => vanished.far.end === 'clean');
    let reason: unknown;
    const connect: Connect = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reason = signal.reason;
          reject(signal.reason);
        });
      });
    await using slow = await World.open({ target: { connect } });
    const early = await RealtimeClient.connect(slow.url);
    early.connection.destroy();
    await eventually(() => slow.server.sessionCount === 0);
    expect(reason).toBeInstanceOf(TransportError);
  });

  it('makes a client wait that is faster than the other server, and holds little of what it sends', async () => {
    const clock = new ManualClock();
    let near: Connection | undefined;
    // The other end reads nothing.
    const pair = createMemoryPair({ far: { receiveHighWaterBytes: 1_000 } });
    const connect: Connect = async () => {
      near = pair.near;
      return pair.near;
    };
    await using world = await World.open({ clock, target: { connect } });
    const client = await RealtimeClient.connect(world.url);
    await eventually(() => near !== undefined);
    let sent = 0;
    const sending = (async () => {
      // More than every buffer on the way together: those of the system are a few megabytes.
      const message = 'x'.repeat(1_000_000);
      for (; sent < 40; sent += 1) await client.connection.send(message);
    })().catch(() => undefined);
    let before = -1;
    await eventually(async () => {
      const isStill = before === sent && sent > 0;
      before = sent;
      for (let turn = 0; turn < 2_000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return isStill;
    });
    expect(sent).toBeLessThan(30);
    client.connection.destroy();
    await sending;
    // Nobody reads from a socket that must wait: that its other end is gone is seen at the idle timeout.
    clock.advance(300_000);
    await eventually(() => world.server.sessionCount === 0);
  });

  it('is ended with 1008 when its client does not read for too long', async () => {
    const clock = new ManualClock();
    const limits = { outputCharsMax: 100_000 };
    await using world = await World.open({ clock, limits });
    const { client, far } = await world.session();
    let isStuck = false;
    const saying = (async () => {
      const message = `{"type":"transcription.delta","delta":"${'x'.repeat(1_000_000)}"}`;
      for (let count = 0; count < 60; count += 1) await far.connection.send(message);
    })().catch(() => {
      isStuck = true;
    });
    // Nothing is read here: it is stuck once nothing moves, and then only time helps.
    while (world.server.sessionCount > 0) {
      for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1_000);
    }
    await saying;
    expect(isStuck).toBe(true);
    client.connection.destroy();
  });
});

describe('a relay that drains', () => {
  it('finishes what was begun and delivers its answer before it closes either end', async () => {
    await using world = await World.open();
    const speaking = await world.session();
    const silent = await world.session();
    await speaking.far.say(created);
    await speaking.client.send(update('any'), commit, append(100));
    await eventually(() => speaking.far.came.length === 3);
    const drained = world.server.drain({ deadlineMs: 60_000 });
    await silent.client.rest();
    expect(silent.client.closeCode).toBe(1012);
    await eventually(() => speaking.far.came.length === 4);
    expect(speaking.far.came.at(-1)).toBe('{"type":"input_audio_buffer.commit","final":true}');
    // The input of the other server is still open: a way that ends with its input would lose the answer.
    expect(speaking.far.end).toBeUndefined();
    expect((await fetch(`${world.server.url}/health`)).status).toBe(503);
    await speaking.far.say('{"type":"transcription.delta","delta":" Ça va."}', done);
    const events = await speaking.client.rest();
    expect(events.at(-1)).toMatchObject({ type: 'transcription.done', text: ' Ça va.' });
    expect(speaking.client.closeCode).toBe(1012);
    await drained;
    expect(speaking.far.end).toBe('clean');
  });

  it('says no second final, and takes an engine that failed for an answer', async () => {
    await using world = await World.open();
    const { client, far } = await world.session();
    await client.send(commit, final);
    await eventually(() => far.came.length === 2);
    const drained = world.server.drain({ deadlineMs: 60_000 });
    await far.say('{"type":"error","error":"","code":"processing_error"}');
    expect((await client.rest()).at(-1)).toMatchObject({ type: 'error' });
    await drained;
    expect(far.came).toHaveLength(2);
  });

  it('waits no longer than its deadline', async () => {
    const clock = new ManualClock();
    await using world = await World.open({ clock });
    const { client, far } = await world.session();
    await client.send(commit);
    await eventually(() => far.came.length === 1);
    const drained = world.server.drain({ deadlineMs: 1_000 });
    await eventually(() => far.came.length === 2);
    clock.advance(800);
    await Promise.all([drained, client.rest()]);
    expect(client.closeCode).toBe(1012);
    expect(clock.pending).toBe(0);
  });
});

describe('a server that relays', () => {
  it('keeps its doors: keys, places, health, models, no files', async () => {
    await using world = await World.open({
      apiKey: 'sesame',
      models: ['voxtral'],
      target: { sessionsMax: 1 },
    });
    const { url } = world.server;
    const headers = { authorization: 'Bearer sesame' };
    await expect(RealtimeClient.connect(world.url)).rejects.toMatchObject({ httpStatus: 401 });
    const client = await RealtimeClient.connect(world.url, { headers });
    await expect(RealtimeClient.connect(world.url, { headers })).rejects.toMatchObject({ httpStatus: 503 });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const models = await (await fetch(`${url}/v1/models`, { headers })).json();
    expect(models).toMatchObject({ data: [{ id: 'voxtral', root: null }] });
    const file = await fetch(`${url}/v1/audio/transcriptions`, { method: 'POST', headers });
    expect(file.status).toBe(404);
    await client.connection.close();
  });

  it('ends a session whose model takes nothing any more', async () => {
    const clock = new ManualClock();
    // Nobody reads the far end, and it takes nothing in advance: the first message waits already.
    const pair = createMemoryPair({ far: { receiveHighWaterBytes: 1 } });
    const carried = vi.spyOn(pair.near, 'send');
    await using world = await World.open({ clock, target: { connect: async () => pair.near } });
    const client = await RealtimeClient.connect(world.url);
    await client.send(append(500));
    // Not by counting timers: others run as well, from the first message on.
    await eventually(() => carried.mock.calls.length > 0);
    clock.advance(29_999);
    expect(world.server.sessionCount).toBe(1);
    clock.advance(1);
    await client.rest();
    expect(client.closeCode).toBe(1014);
  });

  it('ends a session that never says anything soon, counted from when the model could be spoken to', async () => {
    const clock = new ManualClock();
    await using world = await World.open({ clock });
    const { client, far } = await world.session();
    await far.say(created);
    // The session's own deadlines are set when what the model says has come through.
    expect((await client.next())?.type).toBe('session.created');
    clock.advance(SESSION_LIMITS.firstMessageMs);
    expect(await client.rest()).toMatchObject([{ type: 'error', code: 'idle_timeout' }]);
    expect(client.closeCode).toBe(1000);
  });

  it('ends a silent session with its reason, after what was begun is answered', async () => {
    const clock = new ManualClock();
    await using world = await World.open({ clock, limits: { idleTimeoutMs: 5_000 } });
    const { client, far } = await world.session();
    await client.send(commit);
    await eventually(() => far.came.length === 1);
    clock.advance(5_000);
    await eventually(() => far.came.length === 2);
    await far.say(done);
    const events = await client.rest();
    expect(events).toMatchObject([{ type: 'transcription.done' }, { type: 'error', code: 'idle_timeout' }]);
    expect(client.closeCode).toBe(1000);
  });
});
