import { describe, expect, it } from 'vitest';
import { testConnection } from '../src/conformance/connection.js';
import { attachMemory, createMemoryHost, createMemoryPair } from '../src/memory.js';
import { EVERYTHING, memoryWorld } from './worlds.js';

testConnection(
  'the memory pair',
  { traits: EVERYTHING, createWorld: async () => memoryWorld() },
  { describe, it, expect },
);

describe('a memory host', () => {
  it('hands the far end and the handshake to whoever is attached', async () => {
    const host = createMemoryHost();
    const seen: string[] = [];
    attachMemory(host, {
      admit: ({ headers: { authorization }, query }) => {
        seen.push(`${authorization} ${query}`);
        return { accept: true };
      },
      onConnection: (connection, { path }) => {
        void connection.send(path);
      },
    });
    const near = await host.connect({
      url: 'memory://host/v1/realtime?a=1',
      headers: { Authorization: 'Bearer k' },
    });
    for await (const message of near.messages) {
      expect(message).toBe('/v1/realtime');
      break;
    }
    expect(seen).toEqual(['Bearer k a=1']);
  });

  it('refuses when nobody is attached, and again after the listener closed', async () => {
    const host = createMemoryHost();
    await expect(host.connect({ url: 'memory://x/' })).rejects.toMatchObject({ code: 'connect_failed' });
    const listener = attachMemory(host, { admit: () => ({ accept: true }), onConnection: () => undefined });
    expect(() =>
      attachMemory(host, { admit: () => ({ accept: true }), onConnection: () => undefined }),
    ).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    await listener.close();
    await expect(host.connect({ url: 'memory://x/' })).rejects.toMatchObject({ code: 'connect_failed' });
  });

  it('answers a throw of admit with 500 and a throw of onConnection with 1011', async () => {
    const host = createMemoryHost();
    const broken = attachMemory(host, {
      admit: () => {
        throw new Error('bug');
      },
      onConnection: () => undefined,
    });
    await expect(host.connect({ url: 'memory://x/' })).rejects.toMatchObject({
      code: 'refused',
      httpStatus: 500,
    });
    await broken.close();
    attachMemory(host, {
      admit: () => ({ accept: true }),
      onConnection: () => {
        throw new Error('bug');
      },
    });
    const near = await host.connect({ url: 'memory://x/' });
    const reading = (async () => {
      for await (const _ of near.messages);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'peer_closed', closeCode: 1011 });
  });
});

describe('a memory pair', () => {
  it('rejects senders that never await once the buffer is full', async () => {
    const { near } = createMemoryPair({ far: { receiveHighWaterBytes: 1 } });
    const megabytes = new Uint8Array(8 * 1024 * 1024);
    const sends = Array.from({ length: 9 }, () => near.send(megabytes));
    const codes = await Promise.race([
      Promise.all(sends.map((send) => send.then(undefined, (error: { code: string }) => error.code))),
      sends[8]?.catch((error: { code: string }) => error.code),
    ]);
    expect(codes).toBe('send_overflow');
    near.destroy();
    await Promise.allSettled(sends);
  });
});
