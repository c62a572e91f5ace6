import { ManualClock } from '@kikitori/core/manual-clock';
import { encodeFrame, OPCODE } from '@kikitori/transport/frames';
import { afterEach, describe, expect, it } from 'vitest';
import { STAND_IN_LIMITS } from '../../src/stand-in/index.js';
import type { ClientEnd } from './signed-client.js';
import { startWorld, type World } from './world.js';

let world: World;
afterEach(() => world.dispose());

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(32 * 1024, 'x');
const PIECES = 1024;
/** What the operating system and both HTTP/2 ends may hold between two sides. */
const BETWEEN_BYTES = 16 * MIB;

/**
 * Waits until nothing moves any more: what waits at its sender is less than all of it by more than the stand-in's mark
 * and the window, and stays as it is over some looks at it.
 */
async function stalled(look: () => number, sentBytes = PIECES * PIECE.byteLength): Promise<number> {
  const { clientHighWaterBytes, streamWindowBytes } = STAND_IN_LIMITS;
  const movedBytesMin = Math.min(clientHighWaterBytes + streamWindowBytes, sentBytes);
  let before = -1;
  let same = 0;
  await expect
    .poll(
      () => {
        const now = look();
        same = now === before && sentBytes - now >= movedBytesMin ? same + 1 : 0;
        before = now;
        return same;
      },
      { interval: 20, timeout: 20_000 },
    )
    .toBeGreaterThan(9);
  return before;
}

/** Sends piece after piece as fast as the client's HTTP/2 takes them; how many bytes are still to be sent. */
function pump(client: ClientEnd): () => number {
  let left = PIECES;
  const go = (): void => {
    while (left > 0) {
      left -= 1;
      if (!client.send(PIECE, { dataType: 'BINARY' })) {
        client.stream.once('drain', go);
        return;
      }
    }
  };
  go();
  return () => left * PIECE.byteLength;
}

describe('memory stays bounded', () => {
  it('while the client does not read: the container has to wait', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.stream.pause();
    for (let i = 0; i < PIECES; i += 1) far.send(PIECE);
    const waiting = await stalled(() => far.socket.writableLength);
    expect(waiting).toBeGreaterThan(PIECES * PIECE.byteLength - BETWEEN_BYTES);
    client.stream.resume();
    far.close(1000);
    for (let i = 0; i < PIECES; i += 1) {
      const part = await client.answered.next();
      expect('payload' in part && part.payload.byteLength).toBe(PIECE.byteLength);
    }
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    const line = await world.logged('stream ended');
    expect(line).toMatchObject({ containerFrames: PIECES, containerBytes: PIECES * PIECE.byteLength });
    expect(line['clientBufferedBytesMax']).toBeGreaterThan(STAND_IN_LIMITS.clientHighWaterBytes / 2);
    expect(line['clientBufferedBytesMax']).toBeLessThan(
      STAND_IN_LIMITS.clientHighWaterBytes + 2 * PIECE.byteLength,
    );
  });

  it('while the client does not read and the container sends crumbs, which grow on the way', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.stream.pause();
    const crumb = encodeFrame(Buffer.of(), { opcode: OPCODE.binary });
    const count = 20_000;
    far.socket.write(Buffer.concat(Array.from({ length: count }, () => crumb)));
    far.close(1000);
    await stalled(() => far.socket.writableLength, 0);
    client.stream.resume();
    for (let i = 0; i < count; i += 1) expect((await client.answered.next()).kind).toBe('part');
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    const line = await world.logged('stream ended');
    expect(line['clientBufferedBytesMax']).toBeLessThan(STAND_IN_LIMITS.clientHighWaterBytes + 1024);
  });

  it('while the container does not read: the client has to wait', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    far.socket.pause();
    const left = pump(client);
    const waiting = await stalled(left);
    expect(waiting).toBeGreaterThan(PIECES * PIECE.byteLength - BETWEEN_BYTES);
    far.socket.resume();
    for (let i = 0; i < PIECES; i += 1) {
      const frame = await far.heard.next();
      expect('payload' in frame && frame.payload.byteLength).toBe(PIECE.byteLength);
    }
    client.finish();
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1000 });
    const line = await world.logged('stream ended');
    expect(line).toMatchObject({ end: 'client_done', clientParts: PIECES });
    expect(line['containerBufferedBytesMax']).toBeGreaterThan(STAND_IN_LIMITS.containerHighWaterBytes / 2);
    expect(line['containerBufferedBytesMax']).toBeLessThan(
      STAND_IN_LIMITS.containerHighWaterBytes + 4 * PIECE.byteLength,
    );
  });

  it('while the container pings and does not read: only its last ping is answered', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    far.socket.pause();
    await stalled(pump(client));
    for (let i = 0; i < 1000; i += 1) far.send(`ping ${i}`, { opcode: OPCODE.ping });
    far.send('behind the pings');
    expect(await client.answered.next()).toMatchObject({ kind: 'part' });
    far.socket.resume();
    const pongs: string[] = [];
    for (let parts = 0; parts < PIECES; ) {
      const frame = await far.heard.next();
      if (frame.kind === 'pong') pongs.push(frame.payload.toString());
      else parts += 1;
    }
    expect(pongs).toStrictEqual(['ping 999']);
  });

  it('and a container that had to wait is let go at once when its client is gone', async () => {
    // Nothing runs out: this clock stands still.
    world = await startWorld({ clock: new ManualClock() });
    const { client, far } = await world.open();
    client.stream.pause();
    for (let i = 0; i < PIECES; i += 1) far.send(PIECE);
    await stalled(() => far.socket.writableLength);
    client.destroy();
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
    expect(await far.heard.next()).toStrictEqual({ kind: 'gone' });
    expect(await world.logged('stream ended')).toMatchObject({ end: 'client_gone' });
  });

  it('while a client that was told the end does not read it: it is cut off', async () => {
    world = await startWorld({ limits: { flushMs: 50 } });
    const { client, far } = await world.open();
    client.stream.pause();
    for (let i = 0; i < 64; i += 1) far.send(PIECE);
    await stalled(() => far.socket.writableLength, 0);
    client.send('not an event at all', {});
    client.stream.write('garbage that ends the stream, whatever waits');
    expect(await world.logged('stream ended')).toMatchObject({ end: 'client_event' });
    await client.closed;
  });
});
