/** What a listener does at its bounds; whom it lets in is not asked here. */
import { systemClock } from '@kikitori/core';
import { ManualClock } from '@kikitori/core/manual-clock';
import { type Connection, TransportError } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { eventFrame } from '../../src/wyoming/event-frame.js';
import type { WyomingLimits } from '../../src/wyoming/limits.js';
import { listenWyoming, type WyomingListener } from '../../src/wyoming/listen-wyoming.js';
import { eventually } from '../test-server.js';
import { WyomingClient } from './wyoming-client.js';

async function listen(
  options: { readonly limits?: Partial<WyomingLimits>; readonly clock?: ManualClock } = {},
): Promise<WyomingListener & AsyncDisposable & { readonly connections: Connection[] }> {
  const connections: Connection[] = [];
  const listener = await listenWyoming({
    host: '127.0.0.1',
    port: 0,
    key: undefined,
    describe: () => ({ asr: [] }),
    handlers: {
      admit: () => ({ accept: true }),
      onConnection: (connection) => {
        connections.push(connection);
      },
    },
    limits: options.limits ?? {},
    clock: options.clock ?? systemClock,
  });
  return {
    ...listener,
    connections,
    [Symbol.asyncDispose]: async () => {
      listener.destroy();
      await listener.close();
    },
  };
}

describe('a listener for calls', () => {
  it('takes no more calls than it may, and says so', async () => {
    await using listener = await listen({ limits: { callsMax: 1 } });
    const first = new WyomingClient(listener.port);
    first.say('ping');
    await first.hears('pong');
    const second = new WyomingClient(listener.port);
    expect((await second.hears('error')).data).toMatchObject({ code: 'busy' });
    await second.ended;
    first.socket.destroy();
    await eventually(async () => {
      const third = new WyomingClient(listener.port);
      third.say('ping');
      await Promise.race([third.hears('pong'), third.ended]);
      third.socket.destroy();
      return third.types() === 'pong';
    });
  });

  it('ends a call that asks for nothing', async () => {
    await using listener = await listen({ limits: { idleMs: 10 } });
    await new WyomingClient(listener.port).ended;
  });

  it('leaves it to the session how long a client may be silent', async () => {
    await using listener = await listen({ limits: { idleMs: 200 } });
    const client = new WyomingClient(listener.port);
    client.start();
    await eventually(() => listener.connections.length === 1);
    await new WyomingClient(listener.port).ended;
    client.say('ping');
    await client.hears('pong');
    client.socket.destroy();
  });

  it('cuts a client that does not end when it was told that this is the end', async () => {
    const clock = new ManualClock();
    await using listener = await listen({ clock, limits: { closeMs: 5_000 } });
    const client = new WyomingClient(listener.port);
    client.start();
    await eventually(() => listener.connections.length === 1);
    await listener.connections[0]?.close();
    await client.ended;
    expect(client.socket.destroyed).toBe(false);
    clock.advance(5_000);
    // Whoever sends to a connection that is no more is told.
    await eventually(() => {
      client.say('ping');
      return client.socket.destroyed;
    });
  });

  it('cuts a client that does not read', async () => {
    const clock = new ManualClock();
    await using listener = await listen({ clock, limits: { unreadMs: 5_000 } });
    const client = new WyomingClient(listener.port);
    client.start();
    await eventually(() => listener.connections.length === 1);
    client.socket.pause();
    const [session] = listener.connections;
    const told = JSON.stringify({ type: 'transcript', data: { text: 'word '.repeat(100_000) } });
    let isGone = false;
    await eventually(async () => {
      session?.send(told).catch((error: unknown) => {
        isGone ||= !(error instanceof TransportError && error.code === 'send_overflow');
      });
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1_000);
      return isGone;
    });
    client.socket.destroy();
  });

  it('tells a client that sends on after the end no more, and reads what it sends', async () => {
    await using listener = await listen();
    const client = new WyomingClient(listener.port);
    client.start();
    await eventually(() => listener.connections.length === 1);
    const [session] = listener.connections;
    await session?.send('{"type":"transcript","data":{"text":"so"}}');
    await session?.close();
    for (let sent = 0; sent < 100; sent += 1) client.hum(1_000);
    await client.ended;
    expect(client.types()).toBe('transcript');
    client.socket.destroy();
  });

  it('begins no session for events that it does not know', async () => {
    await using listener = await listen();
    const client = new WyomingClient(listener.port);
    client.socket.write(eventFrame('run-pipeline', { start_stage: 'asr' }));
    client.say('ping');
    await client.hears('pong');
    expect(listener.connections).toEqual([]);
    client.socket.destroy();
  });
});
