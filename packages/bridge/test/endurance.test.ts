import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ENDINGS } from '../src/session/endings.js';
import { type RawPeer, until, World } from './peers.js';

const world = new World();
// A bridge counts silence by its ticks: these are the test's, and no machine is too slow for them.
beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(async () => {
  await world.close();
  vi.useRealTimers();
});

/** Ticks until it holds. Between two of them whatever was said has arrived: a question that was asked later is answered. */
async function tickUntil(holds: () => boolean, http: string): Promise<void> {
  while (!holds()) {
    vi.advanceTimersToNextTimer();
    await (await fetch(`${http}/ping`)).text();
  }
}

const CHUNK = 'x'.repeat(64 * 1024);
const FLOOD_MESSAGES = 800;

/** Sends until `enough`, as fast as the socket takes it, without keeping more than a few messages itself. */
async function flood(from: RawPeer, enough: () => boolean): Promise<number> {
  let sent = 0;
  while (!enough()) {
    if (from.socket.writableLength < 4 * CHUNK.length) {
      from.send(`${sent} ${CHUNK}`);
      sent += 1;
    } else {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return sent;
}

/** Whether nothing moves any more: the sender's socket stays full over many turns of the event loop. */
function standstill(from: RawPeer): () => boolean {
  let before = -1;
  let turns = 0;
  return () => {
    const { writableLength } = from.socket;
    turns = writableLength > CHUNK.length && writableLength === before ? turns + 1 : 0;
    before = writableLength;
    return turns > 200;
  };
}

describe('a peer that does not read', () => {
  it.each(['client', 'upstream'] as const)(
    'makes the other wait (%s), with bounded memory here, and gets everything when it reads on',
    async (slow) => {
      const { url: upstreamUrl, peers } = await world.rawUpstream(() => undefined);
      const { url, bridge } = await world.bridge({ upstream: upstreamUrl });
      const client = await world.rawClient(url);
      await until(() => peers.length === 1);
      const [upstream] = peers;
      if (upstream === undefined) throw new Error('not open');
      const [reader, writer] = slow === 'client' ? [client, upstream] : [upstream, client];
      reader.socket.pause();
      const sent = await flood(writer, standstill(writer));
      // What one read brings on top of the bound, and a pong.
      expect(bridge.waitingBytes).toBeGreaterThan(0);
      expect(bridge.waitingBytes).toBeLessThanOrEqual(64 * 1024 + 65 * 1024);
      reader.socket.resume();
      await until(() => reader.frames.length === sent);
      expect(reader.texts.every((text, index) => text.startsWith(`${index} x`))).toBe(true);
      expect(bridge.waitingBytes).toBe(0);
    },
  );

  it('is not answered without end: of pings that pile up the latest counts', async () => {
    const { url: upstream } = await world.rawUpstream(() => undefined);
    const { url, bridge } = await world.bridge({ upstream });
    const client = await world.rawClient(url);
    client.socket.pause();
    const ping = Buffer.concat(Array.from({ length: 500 }, () => client.encode('x'.repeat(125), 9)));
    const isStill = standstill(client);
    while (!isStill()) {
      if (client.socket.writableLength < 4 * CHUNK.length) client.socket.write(ping);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bridge.waitingBytes).toBeLessThanOrEqual(64 * 1024 + 65 * 1024);
  });

  it('keeps a client whose model server is not up within a bound', async () => {
    const silent = await world.tcp((socket) => void socket.resume());
    const { url, bridge } = await world.bridge({ upstream: silent, limits: { acceptWithinMs: 1 } });
    const client = await world.rawClient(url);
    await flood(client, standstill(client));
    expect(bridge.waitingBytes).toBeGreaterThan(1024 * 1024);
    expect(bridge.waitingBytes).toBeLessThanOrEqual(1024 * 1024 + 64 * 1024);
  });

  it('is cut off after a while, and the other is told', async () => {
    for (const slow of ['client', 'upstream'] as const) {
      const { url: upstreamUrl, peers } = await world.rawUpstream(() => undefined);
      const { url, http } = await world.bridge({
        upstream: upstreamUrl,
        limits: { stallMs: 100, upstreamSilenceMsMax: 500, closeTimeoutMs: 100 },
      });
      const client = await world.rawClient(url);
      await until(() => peers.length === 1);
      const [upstream] = peers;
      if (upstream === undefined) throw new Error('not open');
      const [reader, writer] = slow === 'client' ? [client, upstream] : [upstream, client];
      reader.socket.pause();
      await flood(writer, standstill(writer));
      await tickUntil(() => writer.isClosed || writer.close !== undefined, http);
      const { toClient, toUpstream } = ENDINGS[`${slow}_stalled`];
      // In the middle of a frame nothing can be said to the model server; to the client there is nothing under way.
      if (writer.close !== undefined) expect(writer.close).toEqual(slow === 'client' ? toUpstream : toClient);
    }
    await until(() => world.lines.filter(({ message }) => message === 'session ended').length === 2);
    expect(world.lines.flatMap(({ fields }) => fields['reason'] ?? [])).toEqual([
      'client_stalled',
      'upstream_stalled',
    ]);
  });
});

describe('a peer that is gone without a word', () => {
  /** Frames go to nobody: neither pings nor anything else is answered. */
  it('is noticed: a model server', async () => {
    const { url: upstream } = await world.rawUpstream(() => undefined);
    const { url, http } = await world.bridge({ upstream, limits: { upstreamSilenceMsMax: 100 } });
    const client = await world.rawClient(url);
    await tickUntil(() => client.close !== undefined, http);
    expect(client.close).toEqual(ENDINGS.upstream_silent.toClient);
  });

  it('is noticed: a client', async () => {
    const { url: upstream, peers } = await world.rawUpstream((peer) => {
      // Answers pings, as a peer that lives.
      peer.socket.on('data', () => peer.send('', 10));
    });
    const { url, http } = await world.bridge({
      upstream,
      limits: { clientSilenceMsMax: 100, untriedSilenceMsMax: 200, upstreamSilenceMsMax: 60_000 },
    });
    await world.rawClient(url);
    await tickUntil(() => peers[0]?.close !== undefined, http);
    expect(peers[0]?.close).toEqual(ENDINGS.client_silent.toUpstream);
  });

  it('is noticed soon once it has answered a ping, and late while it never did', async () => {
    const { url: upstream, peers } = await world.rawUpstream((peer) => {
      peer.socket.on('data', () => peer.send('', 10));
    });
    const { url, http } = await world.bridge({
      upstream,
      limits: { clientSilenceMsMax: 100, untriedSilenceMsMax: 3_600_000, upstreamSilenceMsMax: 60_000 },
    });
    const mute = await world.rawClient(url);
    const honest = await world.rawClient(url);
    const isAsked = (peer: typeof mute): boolean => peer.frames.some(({ opcode }) => opcode === 9);
    await tickUntil(() => isAsked(mute) && isAsked(honest), http);
    honest.send('', 10);
    await tickUntil(() => honest.isEnded, http);
    expect(mute.isEnded).toBe(false);
    expect(peers.filter(({ close }) => close !== undefined)).toHaveLength(1);
  });

  it('is not mistaken for one that only has nothing to say', async () => {
    let pings = 0;
    const upstream = await world.wsUpstream((socket) =>
      socket.on('ping', () => {
        pings += 1;
      }),
    );
    const limits = { clientSilenceMsMax: 1_000, upstreamSilenceMsMax: 1_000 };
    const { url, http, bridge } = await world.bridge({ upstream: upstream.url, limits });
    const client = await world.wsClient(url);
    let clientPings = 0;
    client.socket.on('ping', () => {
      clientPings += 1;
    });
    await tickUntil(() => pings >= 4 && clientPings >= 4, http);
    expect(bridge.sessionCount).toBe(1);
  });
});

describe('stopping', () => {
  it('lets live sessions end, lets nobody in meanwhile, and then is gone', async () => {
    const upstream = await world.wsUpstream((socket) => socket.on('message', () => socket.send('answer')));
    const { url, http, bridge } = await world.bridge({ upstream: upstream.url });
    const client = await world.wsClient(url);
    const draining = bridge.drain();
    expect((await world.wsClient(url)).refusal?.status).toBe(503);
    expect((await fetch(`${http}/ping`)).status).toBe(503);
    client.socket.send('question');
    await until(() => client.texts.length === 1);
    client.socket.close(1000);
    await draining;
    expect(await client.closed).toMatchObject({ code: 1000 });
    await expect(fetch(`${http}/ping`)).rejects.toThrow();
  });

  it('tells those that are left at the deadline to go: 1012, and 1001 to the model server', async () => {
    const { url: upstream, peers } = await world.rawUpstream(() => undefined);
    const { url, bridge } = await world.bridge({ upstream, limits: { closeTimeoutMs: 100 } });
    const client = await world.wsClient(url);
    await until(() => peers.length === 1);
    await bridge.drain({ deadlineMs: 150 });
    expect(await client.closed).toEqual({ code: 1012, reason: 'service restart' });
    expect(peers[0]?.close).toEqual({ code: 1001, reason: 'going away' });
    expect(await world.sessionLine()).toMatchObject({ reason: 'drained', ended_by: 'bridge' });
  });

  it('refuses clients that were not let in yet', async () => {
    const silent = await world.tcp((socket) => void socket.resume());
    const { url, bridge } = await world.bridge({ upstream: silent, limits: { acceptWithinMs: 60_000 } });
    const opening = world.wsClient(url);
    await until(() => bridge.sessionCount === 1);
    await bridge.drain({ deadlineMs: 0 });
    expect((await opening).refusal?.status ?? 503).toBe(503);
  });

  it('leaves nothing behind', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => /Timeout|TCP/.test(name)).length;
    const upstream = await world.wsUpstream(() => undefined);
    const { url, bridge } = await world.bridge({ upstream: upstream.url });
    await world.wsClient(url);
    await bridge.close();
    expect(bridge.sessionCount).toBe(0);
    await world.close();
    await until(() => {
      const left = process.getActiveResourcesInfo().filter((name) => /Timeout|TCP/.test(name)).length;
      return left <= before;
    });
  });
});

it(`moves ${FLOOD_MESSAGES} messages each way at once`, async () => {
  const upstream = await world.wsUpstream((socket) => {
    for (let i = 0; i < FLOOD_MESSAGES; i += 1) socket.send(`u${i}`.padEnd(i * 7, '.'));
    socket.on('message', (data) => socket.send(data, { binary: false }));
  });
  const { url } = await world.bridge({ upstream: upstream.url });
  const client = await world.wsClient(url);
  for (let i = 0; i < FLOOD_MESSAGES; i += 1) client.socket.send(`c${i}`.padEnd(i * 7, '.'));
  await until(() => client.texts.length === 2 * FLOOD_MESSAGES);
  const of = (side: string): string[] => client.texts.filter((text) => text.startsWith(side));
  for (const side of ['u', 'c']) {
    expect(of(side)).toEqual(
      Array.from({ length: FLOOD_MESSAGES }, (_, i) => `${side}${i}`.padEnd(i * 7, '.')),
    );
  }
});
