import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ENDINGS } from '../src/session/endings.js';
import { type RawPeer, until, World } from './peers.js';

const world = new World();
afterEach(async () => {
  vi.useRealTimers();
  await world.close();
});

/** Gives bytes the time to arrive that they need on this machine, whatever the clock says. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

const DONE = '{"type":"transcription.done","text":"x","usage":null}';
const DELTA = '{"type":"transcription.delta","delta":" x"}';
const FINAL = '{"type": "input_audio_buffer.commit", "final": true}';

/** A client and a model server of bare frames with a bridge between them. */
async function openPair(limits: object = {}): Promise<{ client: RawPeer; upstream: RawPeer }> {
  const { url: upstream, peers } = await world.rawUpstream(() => undefined);
  const { url } = await world.bridge({ upstream, limits: { tailQuietMs: 5, ...limits } });
  const client = await world.rawClient(url);
  await until(() => peers.length === 1);
  const [peer] = peers;
  if (peer === undefined) throw new Error('not open');
  return { client, upstream: peer };
}

/** Close payload of a code and a reason. */
function bye(code?: number, reason = ''): Uint8Array {
  if (code === undefined) return new Uint8Array(0);
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

describe('goodbyes', () => {
  it.each([1000, 1001, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4999])(
    'carries the model server’s %i over, and the client’s answer ends it',
    async (code) => {
      const { client, upstream } = await openPair();
      upstream.send('last');
      upstream.send(bye(code, 'why'), 8);
      await until(() => client.close !== undefined);
      expect(client.close).toEqual({ code, reason: 'why' });
      expect(client.texts).toEqual(['last']);
      expect(upstream.close).toEqual({ code, reason: 'why' });
      client.send(bye(code), 8);
      await until(() => client.isEnded);
      upstream.socket.end();
      client.socket.end();
      expect(await world.sessionLine()).toMatchObject({ reason: 'upstream_closed', client_close: code });
    },
  );

  it.each([1000, 1001, 1007, 1011, 3000, 4999])(
    'carries the client’s %i over, and the model server’s answer back',
    async (code) => {
      const { client, upstream } = await openPair();
      client.send(bye(code, 'why'), 8);
      await until(() => upstream.close !== undefined);
      expect(upstream.close).toEqual({ code, reason: 'why' });
      expect(client.close).toBeUndefined();
      upstream.send('behind');
      upstream.send(bye(code, 'so'), 8);
      upstream.socket.end();
      await until(() => client.isEnded);
      expect(client.texts).toEqual(['behind']);
      expect(client.close).toEqual({ code, reason: 'so' });
      client.socket.end();
      expect(await world.sessionLine()).toMatchObject({ reason: 'client_closed', upstream_told: code });
    },
  );

  it('says nothing where nothing was said: 1005 stays without a code', async () => {
    const one = await openPair();
    one.upstream.send(bye(), 8);
    await until(() => one.client.close !== undefined);
    expect(one.client.close?.code).toBe(1005);
    const other = await openPair();
    other.client.send(bye(), 8);
    await until(() => other.upstream.close !== undefined);
    expect(other.upstream.close?.code).toBe(1005);
  });

  it('tells the client 1011 when the model server is gone without a goodbye', async () => {
    for (const end of ['resetAndDestroy', 'destroy', 'end'] as const) {
      const { client, upstream } = await openPair({ closeTimeoutMs: 200 });
      upstream.send('last');
      await until(() => client.texts.length === 1);
      upstream.socket[end]();
      await until(() => client.close !== undefined);
      expect(client.close).toEqual(ENDINGS.upstream_lost.toClient);
      client.send(bye(1011), 8);
      await until(() => client.isEnded);
    }
    expect(await world.sessionLine().then(({ reason }) => reason)).toBe('upstream_lost');
  });

  it('cuts the line of a client that is in the middle of a frame which will not end', async () => {
    const { client, upstream } = await openPair();
    upstream.socket.write(upstream.encode('x'.repeat(1000)).subarray(0, 500));
    await until(() => client.socket.bytesRead >= 500);
    upstream.socket.resetAndDestroy();
    await until(() => client.isClosed || client.isEnded);
    expect(client.frames).toEqual([]);
  });

  it('tells the model server 1001 when the client is gone without a goodbye', async () => {
    for (const end of ['resetAndDestroy', 'destroy'] as const) {
      const { client, upstream } = await openPair();
      client.socket[end]();
      await until(() => upstream.close !== undefined);
      expect(upstream.close).toEqual(ENDINGS.client_lost.toUpstream);
    }
    const { client, upstream } = await openPair();
    client.socket.write(client.encode('x'.repeat(1000)).subarray(0, 500));
    await until(() => upstream.socket.bytesRead >= 500);
    client.socket.resetAndDestroy();
    await until(() => upstream.isEnded);
    expect(upstream.frames).toEqual([]);
  });

  it.each([
    ['a reserved bit', [0xf1, 0x80], 1002],
    ['a frame without a mask', [0x81, 0x00], 1002],
    ['a message that is too big', [0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0], 1009],
    ['a reason that is not UTF-8', [0x88, 0x83, 0, 0, 0, 0, 3, 232, 255], 1007],
  ])(
    'ends a client that sends %s',
    async (_what, bytes, code) => {
      const { client, upstream } = await openPair({ closeTimeoutMs: 200 });
      client.send('good');
      // Key 0: the length that follows needs four bytes more.
      client.socket.write(Uint8Array.from([...bytes, 0, 0, 0, 0]));
      await until(() => client.close !== undefined && upstream.close !== undefined);
      expect(client.close?.code).toBe(code);
      expect(upstream.texts).toEqual(['good']);
      expect(upstream.close?.code).toBe(1001);
      expect(await world.sessionLine().then(() => true)).toBe(true);
      expect(world.lines.at(-1)?.fields['reason']).toBe('client_breach');
    },
    10_000,
  );

  it('ends a session whose model server breaks the rules', async () => {
    const { client, upstream } = await openPair();
    upstream.socket.write(Uint8Array.from([0x81, 0x80, 0, 0, 0, 0]));
    await until(() => client.close !== undefined && upstream.close !== undefined);
    expect(client.close).toEqual(ENDINGS.upstream_breach.toClient);
    expect(upstream.close?.code).toBe(1002);
  });

  it('does not wait for ever for answers to its goodbyes', async () => {
    const { client, upstream } = await openPair({ closeTimeoutMs: 20 });
    upstream.send(bye(1012), 8);
    expect(await world.sessionLine()).toMatchObject({ reason: 'upstream_closed', client_told: 1012 });
    expect(client.close?.code).toBe(1012);
  });
});

describe('the tail of a transcript', () => {
  it('reaches a client that ended its audio and closed at once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, upstream } = await openPair({ tailMs: 20_000 });
    client.send('{"type":"input_audio_buffer.append","audio":"AAAA"}', 2);
    client.send(FINAL);
    client.send(bye(1000), 8);
    for (const text of [DELTA, DELTA]) {
      const before = client.texts.length;
      upstream.send(text);
      await until(() => client.texts.length > before);
      // Longer than the quiet that would end a tail of which nothing is known.
      vi.advanceTimersByTime(100);
      await turns();
      expect(upstream.close).toBeUndefined();
    }
    upstream.send(DONE);
    await until(() => upstream.close !== undefined);
    expect(upstream.close?.code).toBe(1000);
    upstream.send(bye(1000), 8);
    await until(() => client.close !== undefined);
    expect(client.texts).toEqual([DELTA, DELTA, DONE]);
    expect(upstream.texts).toHaveLength(2);
  });

  it('reaches a client that only ended its half of the line', async () => {
    const { client, upstream } = await openPair({ tailMs: 20_000 });
    client.send(FINAL);
    client.socket.end();
    await until(() => upstream.texts.length === 1);
    upstream.send(DELTA);
    upstream.send(DONE);
    await until(() => upstream.close !== undefined);
    expect(upstream.close).toEqual(ENDINGS.client_lost.toUpstream);
    upstream.send(bye(1001), 8);
    await until(() => client.isEnded);
    expect(client.texts).toEqual([DELTA, DONE]);
    expect(client.close?.code).toBe(1001);
  });

  it('reaches a client that closed while the model server was not up', async () => {
    let open: (() => void) | undefined;
    const { url: upstream, peers } = await world.rawUpstream(() => undefined);
    const { hostname, port } = new URL(upstream);
    const late = await world.tcp((socket) => {
      open = () => {
        const other = connect(Number(port), hostname);
        socket.pipe(other).pipe(socket);
        other.on('error', () => undefined);
      };
    });
    const { url } = await world.bridge({ upstream: late, limits: { acceptWithinMs: 1, tailMs: 20_000 } });
    const client = await world.rawClient(url);
    client.send(FINAL);
    client.send(bye(1000), 8);
    await until(() => open !== undefined);
    open?.();
    await until(() => peers[0]?.texts.length === 1);
    peers[0]?.send(DONE);
    await until(() => peers[0]?.close !== undefined);
    peers[0]?.send(bye(1000), 8);
    await until(() => client.close !== undefined);
    expect(client.texts).toEqual([DONE]);
  });

  it('is not waited for where the last utterance was answered', async () => {
    const { client, upstream } = await openPair({ tailQuietMs: 60_000, tailMs: 60_000 });
    client.send(FINAL);
    await until(() => upstream.texts.length === 1);
    upstream.send(DONE);
    await until(() => client.texts.length === 1);
    client.send(bye(1000), 8);
    await until(() => upstream.close !== undefined);
  });

  it('is waited for until the model server is quiet where nothing says that it ends', async () => {
    const { client, upstream } = await openPair({ tailMs: 60_000 });
    client.send('{"type":"input_audio_buffer.commit"}');
    await until(() => upstream.texts.length === 1);
    client.send(bye(1000), 8);
    upstream.send(DELTA);
    await until(() => upstream.close !== undefined);
    expect(client.texts).toEqual([DELTA]);
  });

  it('is waited for as well where the end of the audio came in pieces, and not for one that never came whole', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const whole = await openPair({ tailMs: 60_000 });
    const before = whole.upstream.socket.bytesRead;
    const bytes = Buffer.concat([whole.client.encode(FINAL), whole.client.encode(bye(1000), 8)]);
    whole.client.socket.write(bytes.subarray(0, 20));
    await until(() => whole.upstream.socket.bytesRead === before + 20);
    whole.client.socket.write(bytes.subarray(20));
    await until(() => whole.upstream.texts.length === 1);
    vi.advanceTimersByTime(100);
    await turns();
    expect(whole.upstream.close).toBeUndefined();
    whole.upstream.send(DONE);
    await until(() => whole.upstream.close !== undefined);
    vi.useRealTimers();
    const half = await openPair({ tailMs: 60_000 });
    half.client.socket.end(half.client.encode(FINAL).subarray(0, 20));
    await until(() => half.upstream.isEnded);
  });

  it('is waited for no longer than allowed', async () => {
    const { client, upstream } = await openPair({ tailMs: 40 });
    client.send(FINAL);
    await until(() => upstream.texts.length === 1);
    client.send(bye(1000), 8);
    await until(() => upstream.close !== undefined);
    expect(client.texts).toEqual([]);
  });

  it('ends with 1011 when the model server is lost on the way', async () => {
    const { client, upstream } = await openPair({ tailMs: 60_000 });
    client.send(FINAL);
    client.send(bye(1000), 8);
    await until(() => upstream.texts.length === 1);
    upstream.socket.resetAndDestroy();
    await until(() => client.close !== undefined);
    expect(client.close).toEqual(ENDINGS.upstream_lost.toClient);
  });
});

describe('control frames', () => {
  it('are answered on each line and never passed on', async () => {
    const { client, upstream } = await openPair();
    client.send('c', 9);
    upstream.send('u', 9);
    client.send('stray', 10);
    await until(() => client.frames.length === 1 && upstream.frames.length === 1);
    expect(client.frames).toEqual([{ opcode: 10, isFinal: true, text: 'c' }]);
    expect(upstream.frames).toEqual([{ opcode: 10, isFinal: true, text: 'u' }]);
  });

  it('of ours wait for the end of a frame that is passing', async () => {
    const { client, upstream } = await openPair();
    const frame = upstream.encode('x'.repeat(3000));
    upstream.socket.write(frame.subarray(0, 2000));
    await until(() => client.socket.bytesRead > 1500);
    client.send('first', 9);
    client.send('second', 9);
    client.send('said');
    await until(() => upstream.texts.length === 1);
    upstream.socket.write(frame.subarray(2000));
    await until(() => client.frames.length === 2);
    // Of several pings the latest is answered.
    expect(client.frames.map(({ opcode, text }) => [opcode, text.slice(0, 6)])).toEqual([
      [1, 'xxxxxx'],
      [10, 'second'],
    ]);
  });
});
