import { constants } from 'node:http2';
import { ManualClock } from '@kikitori/core/manual-clock';
import { OPCODE } from '@kikitori/transport/frames';
import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerEnd } from './frame-container.js';
import type { ClientEnd } from './signed-client.js';
import { startWorld, type World } from './world.js';

let world: World;
afterEach(() => world.dispose());

const exception = (Message: string, ErrorCode: string) => ({
  kind: 'exception',
  name: 'ModelStreamError',
  body: { Message, ErrorCode },
});

describe('an open stream', () => {
  it('is answered with 200 at the container’s 101, before the client said anything', async () => {
    world = await startWorld();
    const { client } = await world.open();
    expect(await client.response).toMatchObject({
      ':status': 200,
      'content-type': 'application/vnd.amazon.eventstream',
      'x-amzn-invoked-production-variant': 'AllTraffic',
      'x-amzn-requestid': expect.stringMatching(/^[\da-f-]{36}$/),
      date: expect.stringMatching(/GMT$/),
    });
  });

  it('carries one frame per event and one event per frame', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.send('hello');
    client.send(Buffer.of(0, 255), { dataType: 'BINARY' });
    client.send('', {});
    client.send('a', { dataType: 'UTF8', completionState: 'PARTIAL' });
    client.send('b', { dataType: 'BINARY', completionState: 'PARTIAL' });
    client.send('c', { completionState: 'COMPLETE' });
    const heard = [];
    for (let i = 0; i < 6; i += 1) heard.push(await far.heard.next());
    expect(heard).toStrictEqual([
      { kind: 'text', isFinal: true, payload: Buffer.from('hello') },
      { kind: 'binary', isFinal: true, payload: Buffer.of(0, 255) },
      { kind: 'binary', isFinal: true, payload: Buffer.of() },
      { kind: 'text', isFinal: false, payload: Buffer.from('a') },
      { kind: 'continuation', isFinal: false, payload: Buffer.from('b') },
      { kind: 'continuation', isFinal: true, payload: Buffer.from('c') },
    ]);
    far.send('Generating', { isFinal: false });
    far.send(' response...', { opcode: OPCODE.continuation });
    far.send(Buffer.of(1), { isFinal: false });
    far.send(Buffer.of(), { opcode: OPCODE.continuation });
    const answered = [];
    for (let i = 0; i < 4; i += 1) answered.push(await client.answered.next());
    expect(answered).toStrictEqual([
      { kind: 'part', dataType: 'UTF8', completionState: 'PARTIAL', payload: Buffer.from('Generating') },
      { kind: 'part', dataType: 'UTF8', completionState: 'COMPLETE', payload: Buffer.from(' response...') },
      { kind: 'part', dataType: 'BINARY', completionState: 'PARTIAL', payload: Buffer.of(1) },
      { kind: 'part', dataType: 'BINARY', completionState: 'COMPLETE', payload: Buffer.of() },
    ]);
  });

  it('carries an event of a mebibyte each way', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    const bytes = Buffer.alloc(1024 * 1024, 'ab');
    client.send(bytes, { dataType: 'BINARY' });
    const heard = await far.heard.next();
    expect('payload' in heard && heard.payload.equals(bytes)).toBe(true);
    far.send(bytes);
    const answered = await client.answered.next();
    expect('payload' in answered && answered.payload.equals(bytes)).toBe(true);
  });

  it('takes characters that are cut between fragments', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    const [head, tail] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
    client.send(head, { dataType: 'UTF8', completionState: 'PARTIAL' });
    client.send(tail, { dataType: 'UTF8' });
    expect(await far.heard.next()).toMatchObject({ kind: 'text', payload: head });
    expect(await far.heard.next()).toMatchObject({ kind: 'continuation', payload: tail });
    far.send(head, { opcode: OPCODE.text, isFinal: false });
    far.send(tail, { opcode: OPCODE.continuation });
    expect(await client.answered.next()).toMatchObject({ dataType: 'UTF8', payload: head });
    expect(await client.answered.next()).toMatchObject({ dataType: 'UTF8', payload: tail });
  });

  it('answers the container’s pings, and lets them pass between fragments', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    far.send('a', { isFinal: false });
    far.send('are you there', { opcode: OPCODE.ping });
    far.send('b', { opcode: OPCODE.continuation });
    expect(await far.heard.next()).toMatchObject({ kind: 'pong', payload: Buffer.from('are you there') });
    expect(await client.answered.next()).toMatchObject({ completionState: 'PARTIAL' });
    expect(await client.answered.next()).toMatchObject({ completionState: 'COMPLETE' });
  });
});

describe('a stream ends', () => {
  it('when the client ends its input: Close 1000 for the container, a clean end for the client', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.send('last');
    client.finish();
    expect(await far.heard.next()).toMatchObject({ kind: 'text' });
    expect(await far.heard.next()).toStrictEqual({ kind: 'close', code: 1000, reason: '' });
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await world.logged('stream ended')).toMatchObject({ end: 'client_done', clientParts: 1 });
  });

  it('in the middle of an answer when the client ends its input: the tail is lost', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    far.send('half of it', { isFinal: false });
    await client.answered.next();
    client.finish();
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1000 });
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
  });

  it('when the client ends without the signed empty event: Close 1001, since anybody can cut a line', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.stream.end();
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
  });

  it('with an exception after the client’s end where that is asked for', async () => {
    world = await startWorld({ isHalfCloseAnError: true });
    const { client } = await world.open();
    client.finish();
    expect(await client.answered.next()).toStrictEqual(exception('Input stream broken', 'StreamBroken'));
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
  });

  it('cleanly when the container closes with 1000, after everything it said', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    far.send('last words');
    far.close(1000, 'bye');
    expect(await client.answered.next()).toMatchObject({ payload: Buffer.from('last words') });
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await far.heard.next()).toStrictEqual({ kind: 'close', code: 1000, reason: '' });
    expect(await far.heard.next()).toStrictEqual({ kind: 'gone' });
    expect(await world.logged('stream ended')).toMatchObject({ end: 'container_closed', closeCode: 1000 });
  });

  it.each<[string, (far: ContainerEnd) => void, object]>([
    [
      'closes with another code',
      (far) => far.close(1012, 'restarting'),
      exception('WebSocket closed with code 1012: restarting', '1012'),
    ],
    [
      'closes without a code',
      (far) => far.send(Buffer.of(), { opcode: OPCODE.close }),
      exception('WebSocket closed with code 1005', '1005'),
    ],
    [
      'is killed',
      (far) => far.socket.destroy(),
      exception('WebSocket closed with code 1006: no close frame', 'StreamBroken'),
    ],
    [
      'is cut off with a reset',
      (far) => far.socket.resetAndDestroy(),
      exception('WebSocket closed with code 1006: no close frame', 'StreamBroken'),
    ],
    [
      'ends its line without Close',
      (far) => far.socket.end(),
      exception('WebSocket closed with code 1006: no close frame', 'StreamBroken'),
    ],
    [
      'sends what is no frame',
      (far) => far.socket.write('HTTP/1.1 200 OK'),
      exception('WebSocket closed with code 1002: the container broke the protocol', 'StreamBroken'),
    ],
    [
      'announces a frame above the limit',
      (far) => far.socket.write(Buffer.from('827f00000000ffffffff', 'hex')),
      exception('WebSocket closed with code 1009: the container broke the protocol', 'StreamBroken'),
    ],
  ])('with an exception when the container %s', async (_name, act, expected) => {
    world = await startWorld();
    const { client, far } = await world.open();
    far.send('before');
    expect(await client.answered.next()).toMatchObject({ kind: 'part' });
    act(far);
    expect(await client.answered.next()).toStrictEqual(expected);
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    await client.closed;
    await world.open();
  });

  it('with an exception for every Close where AWS’s text is taken to the letter', async () => {
    world = await startWorld({ isEveryCloseAnError: true });
    const { client, far } = await world.open();
    far.close(1000);
    expect(await client.answered.next()).toStrictEqual(exception('WebSocket closed with code 1000', '1000'));
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
  });

  it.each<[string, (client: ClientEnd) => void]>([
    ['resets the stream', (client) => client.stream.close(constants.NGHTTP2_CANCEL)],
    ['resets it without an error', (client) => client.stream.close(constants.NGHTTP2_NO_ERROR)],
    ['cuts its connection', (client) => client.session.destroy()],
    ['goes away in anger', (client) => client.session.destroy(undefined, constants.NGHTTP2_INTERNAL_ERROR)],
  ])('with Close 1001 for the container when the client %s', async (_name, act) => {
    world = await startWorld();
    const { client, far } = await world.open();
    act(client);
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
    expect(await far.heard.next()).toStrictEqual({ kind: 'gone' });
    expect(await world.logged('stream ended')).toMatchObject({ end: 'client_gone' });
    await expect.poll(() => world.runtime.streamCount).toBe(0);
  });

  it('when the client is gone before the container has answered', async () => {
    world = await startWorld();
    world.container.refusal = 0;
    const client = world.dial();
    await new Promise((resolve) => client.session.once('connect', resolve));
    client.session.ping(() => client.destroy());
    expect(await world.logged('stream refused')).toMatchObject({ end: 'client_gone' });
    await expect.poll(() => world.runtime.streamCount).toBe(0);
    expect(world.container.connectionCount).toBeLessThanOrEqual(1);
  });

  it('when its longest time is over', async () => {
    const clock = new ManualClock();
    world = await startWorld({ clock, limits: { pingIntervalMs: Number.POSITIVE_INFINITY } });
    const { client, far } = await world.open();
    clock.advance(1_799_999);
    far.send('still here');
    expect(await client.answered.next()).toMatchObject({ kind: 'part' });
    clock.advance(1);
    expect(await client.answered.next()).toStrictEqual(
      exception('The stream reached its longest time; open another one.', 'ModelInvocationTimeExceeded'),
    );
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
  });

  it('with an exception when an event’s date is five minutes off', async () => {
    const clock = new ManualClock();
    world = await startWorld({ clock });
    const { client } = await world.open({ nowMs: clock.unixMs() });
    client.send('in time');
    clock.advance(300_001);
    client.send('late');
    expect(await client.answered.next()).toMatchObject({ body: { ErrorCode: 'InvalidSignature' } });
  });

  it('when five pings to the container stay unanswered', async () => {
    const clock = new ManualClock();
    world = await startWorld({ clock });
    const { client, far } = await world.open();
    clock.advance(60_000);
    expect(await far.heard.next()).toMatchObject({ kind: 'ping' });
    far.send(Buffer.of(), { opcode: OPCODE.pong });
    far.send('behind the pong');
    await client.answered.next();
    for (let i = 0; i < 5; i += 1) {
      clock.advance(60_000);
      expect(await far.heard.next()).toMatchObject({ kind: 'ping' });
    }
    clock.advance(60_000);
    expect(await client.answered.next()).toStrictEqual(
      exception('WebSocket closed with code 1011: keepalive ping timeout', 'StreamBroken'),
    );
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await far.heard.next()).toStrictEqual({
      kind: 'close',
      code: 1011,
      reason: 'keepalive ping timeout',
    });
    client.stream.end();
    expect(await world.logged('stream ended')).toMatchObject({ end: 'container_silent' });
  });

  it('though the container does not answer Close, when its time for that is over', async () => {
    const clock = new ManualClock();
    world = await startWorld({ clock });
    const { client, far } = await world.open();
    far.socket.pause();
    client.finish();
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    await client.closed;
    expect(world.runtime.streamCount).toBe(1);
    await expect.poll(() => clock.pending).toBeGreaterThan(0);
    clock.advance(5_000);
    expect(await world.logged('stream ended')).toMatchObject({ end: 'client_done' });
  });

  it('with InternalStreamFailure at a fault of our own, and no other stream does', async () => {
    let isBroken = false;
    class FaultyClock extends ManualClock {
      override unixMs(): number {
        if (isBroken) throw new Error('secret words');
        return super.unixMs();
      }
    }
    world = await startWorld({ clock: new FaultyClock() });
    const [first, second] = [await world.open(), await world.open()];
    isBroken = true;
    first.client.send('x');
    expect(await first.client.answered.next()).toMatchObject({ name: 'InternalStreamFailure' });
    expect(await first.client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await first.far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
    const line = await world.logged('stream failed inside the stand-in');
    expect(JSON.stringify(line)).not.toContain('secret');
    isBroken = false;
    second.client.send('y');
    expect(await second.far.heard.next()).toMatchObject({ payload: Buffer.from('y') });
  });

  it.each<[string, (client: ClientEnd) => void, string]>([
    ['a damaged event', (client) => client.stream.write(damaged(client, 20)), 'InvalidEvent'],
    ['a damaged length', (client) => client.stream.write(damaged(client, 0)), 'InvalidEvent'],
    ['no event', (client) => client.stream.write('{"type":"session.update"}'), 'InvalidEvent'],
    [
      'an event that was not signed after the one before',
      (client) => {
        client.signer.sign({}, 'left out', Date.now());
        client.send('x');
      },
      'InvalidSignature',
    ],
    [
      'half an event',
      (client) => client.stream.end(client.signer.sign({}, 'x', Date.now()).subarray(0, 40)),
      'StreamBroken',
    ],
  ])('with an exception when the client sends %s, and the next one works', async (_name, act, code) => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.send('good');
    expect(await far.heard.next()).toMatchObject({ kind: 'text' });
    act(client);
    expect(await client.answered.next()).toMatchObject({
      name: 'ModelStreamError',
      body: { ErrorCode: code },
    });
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
    await client.closed;
    expect(await world.logged('stream ended')).toMatchObject({ end: 'client_event' });
    const next = await world.open();
    next.client.send('again');
    expect(await next.far.heard.next()).toMatchObject({ payload: Buffer.from('again') });
  });
});

function damaged(client: ClientEnd, at: number): Buffer {
  const bytes = client.signer.sign({}, 'x', Date.now());
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}
