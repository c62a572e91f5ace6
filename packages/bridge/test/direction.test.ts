import { encodeFrame, newMaskKey, OPCODE } from '@kikitori/transport/frames';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type RawPeer, until, World } from './peers.js';

const world = new World();
afterEach(() => world.close());

describe('what passes', () => {
  it('is a vLLM session as it was said, with the query and the key', async () => {
    const upstream = await world.wsUpstream((socket, request) => {
      socket.send(JSON.stringify({ url: request.url, key: request.headers.authorization }));
      socket.on('message', (data, isBinary) => socket.send(`${isBinary ? 'binary' : 'text'} ${data}`));
    });
    const { url } = await world.bridge({ upstream: upstream.url });
    const client = await world.wsClient(`${url}?model=x&y=1`, { headers: { Authorization: 'Bearer k' } });
    client.socket.send('{"type":"session.update"}');
    // SageMaker delivers what clients do not mark as UTF8 as binary.
    client.socket.send(Buffer.from('{"type":"input_audio_buffer.commit"}'));
    await until(() => client.texts.length === 3);
    expect(client.texts).toEqual([
      '{"url":"/v1/realtime?model=x&y=1","key":"Bearer k"}',
      'text {"type":"session.update"}',
      'text {"type":"input_audio_buffer.commit"}',
    ]);
    upstream.sockets[0]?.close(1000, 'done');
    expect(await client.closed).toEqual({ code: 1000, reason: 'done' });
    expect(await world.sessionLine()).toMatchObject({
      reason: 'upstream_closed',
      client_messages: 2,
      client_bytes: 61,
      upstream_messages: 3,
      client_told: 1000,
      upstream_close: 1000,
    });
  });

  it('is the same in the same order both ways, frame by frame, whatever is sent and however it is cut', async () => {
    let peer: RawPeer | undefined;
    const upstream = await world.rawUpstream((opened) => {
      peer = opened;
    });
    const { url } = await world.bridge({ upstream: upstream.url });
    const size = fc.oneof(
      { weight: 5, arbitrary: fc.nat(40) },
      { weight: 2, arbitrary: fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000) },
    );
    const frame = fc.record({
      kind: fc.constantFrom<'data' | 'ping' | 'pong'>('data', 'data', 'ping', 'pong'),
      isBinary: fc.boolean(),
      size,
      isFinal: fc.boolean(),
    });
    const cut = fc.array(fc.nat(100_000), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 12 }), cut, fc.boolean(), async (frames, cuts, isUp) => {
        const client = await world.rawClient(url);
        await until(() => peer !== undefined);
        const [from, to] = isUp ? [client, peer] : [peer, client];
        if (from === undefined || to === undefined) throw new Error('not open');
        const { bytes, expected, pings } = script(from, frames, isUp);
        for (const piece of pieces(bytes, cuts)) {
          await new Promise<void>((resolve) => from.socket.write(piece, () => resolve()));
        }
        // The bridge asks each peer once whether it answers.
        const came = (): readonly unknown[] =>
          to.frames.filter(({ opcode, text }) => opcode !== OPCODE.ping || text !== '');
        await until(() => came().length >= expected.length && pongs(from) >= Math.min(pings, 1));
        expect(came()).toEqual(expected);
        expect(pongs(to)).toBe(0);
        client.socket.destroy();
        peer?.socket.destroy();
        peer = undefined;
      }),
      { numRuns: 60 },
    );
  });

  it('is never garbage: whoever sends it is ended, and the next session works', async () => {
    const upstream = await world.wsUpstream((socket) => {
      socket.on('message', (data) => socket.send(data, { binary: false }));
    });
    const limits = { tailQuietMs: 1, closeTimeoutMs: 50 };
    const { url, bridge } = await world.bridge({ upstream: upstream.url, limits });
    const garbage = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      // Nearly right: one byte of a good frame is another.
      fc.tuple(fc.nat(13), fc.nat(255), fc.nat(200)).map(([at, value, size]) => {
        const frame = encodeFrame(new Uint8Array(size + 20), { opcode: 2, maskKey: newMaskKey() });
        frame[at] = value;
        return frame;
      }),
    );
    await fc.assert(
      fc.asyncProperty(garbage, fc.array(fc.nat(300), { maxLength: 3 }), async (bytes, cuts) => {
        const client = await world.rawClient(url);
        for (const piece of pieces(Buffer.from(bytes), cuts)) {
          await new Promise<void>((resolve) => client.socket.write(piece, () => resolve()));
        }
        client.socket.end();
        await until(() => client.isEnded && bridge.sessionCount === 0);
        expect([undefined, 1000, 1001, 1002, 1005, 1007, 1009, 1011]).toContain(
          (client.close?.code ?? 0) >= 3000 ? undefined : client.close?.code,
        );
      }),
      { numRuns: 60 },
    );
    const client = await world.wsClient(url);
    client.socket.send('still here');
    await until(() => client.texts[0] === 'still here');
  });
});

interface Step {
  readonly kind: 'data' | 'ping' | 'pong';
  readonly isBinary: boolean;
  readonly size: number;
  readonly isFinal: boolean;
}

/** Bytes of one side, with what should arrive on the other. */
function script(from: RawPeer, steps: readonly Step[], isUp: boolean) {
  const bytes: Uint8Array[] = [];
  const expected: RawPeer['frames'] = [];
  let isInMessage = false;
  let pings = 0;
  for (const [index, { kind, isBinary, size, isFinal }] of steps.entries()) {
    const text = String.fromCharCode(97 + index).repeat(kind === 'data' ? size : Math.min(size, 125));
    if (kind === 'data') {
      const opcode = isInMessage ? 0 : isBinary ? 2 : 1;
      bytes.push(from.encode(text, opcode, isFinal));
      expected.push({ opcode: isUp && opcode === 2 ? 1 : opcode, isFinal, text });
      isInMessage = !isFinal;
    } else {
      pings += kind === 'ping' ? 1 : 0;
      bytes.push(from.encode(text, kind === 'ping' ? 9 : 10));
    }
  }
  return { bytes: Buffer.concat(bytes), expected, pings };
}

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...cuts.map((cut) => Math.min(cut % (bytes.length + 1), bytes.length)), bytes.length];
  at.sort((a, b) => a - b);
  return at.map((end, index) => bytes.subarray(at[index - 1] ?? 0, end));
}

function pongs(peer: RawPeer): number {
  return peer.frames.filter(({ opcode }) => opcode === 10).length;
}
