import { existsSync } from 'node:fs';
import { connect, Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import { ManualClock } from '@kikitori/core/manual-clock';
import { afterEach, describe, expect, it } from 'vitest';
import { createSageMakerStandIn, type EndpointState, SageMakerError } from '../../src/stand-in/index.js';
import { FrameContainer } from './frame-container.js';
import { Inbox } from './inbox.js';
import { startWorld, type World } from './world.js';

let world: World;
afterEach(() => world.dispose());

/** Whether anybody listens there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const line = connect(port, '127.0.0.1');
    line.on('connect', () => {
      line.destroy();
      resolve(true);
    });
    line.on('error', () => resolve(false));
  });
}

/** Sockets and listeners of this process: whatever else runs in it has its own. */
function openHandles(): object[] {
  // The cast: no type tells of this; `getActiveResourcesInfo` has names alone, and whose they are is the question.
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): object[] };
  return handles.call(process).filter((handle) => handle instanceof Socket || handle instanceof Server);
}

describe('a stand-in', () => {
  it('says where it listens, what to trust, and who may call', async () => {
    world = await startWorld({ isPlaintext: false });
    const { runtime } = world;
    expect(runtime).toMatchObject({
      url: `https://127.0.0.1:${runtime.port}`,
      host: '127.0.0.1',
      region: 'us-east-1',
      authorityPath: expect.stringMatching(/authority\.pem$/),
      authority: expect.stringContaining('BEGIN CERTIFICATE'),
      credentials: [{ accessKeyId: 'AKIDLOCAL', secretAccessKey: 'kikitori-local-secret' }],
      streamCount: 0,
    });
    expect(runtime.endpoints).toMatchObject([
      { name: 'demo', region: 'us-east-1', accountId: '111122223333', status: 'InService', streamCount: 0 },
    ]);
  });

  it('tells every change of an endpoint’s status', async () => {
    const told = new Inbox<EndpointState>();
    const clock = new ManualClock();
    const sick = await FrameContainer.start();
    sick.pingStatus = 500;
    const well = await FrameContainer.start();
    world = await startWorld({
      waits: false,
      clock,
      onEndpointStatus: (state) => told.push(state),
      endpoints: [
        { name: 'sick', containerUrl: sick.url },
        { name: 'well', containerUrl: well.url },
        {
          name: 'half',
          variants: [
            { name: 'a', containerUrl: sick.url },
            { name: 'b', containerUrl: well.url },
          ],
        },
      ],
    });
    expect(await told.next()).toMatchObject({ name: 'well', status: 'InService' });
    const failed = expect(world.runtime.whenInService()).rejects.toMatchObject({ reason: 'endpoint_failed' });
    clock.advance(500_000);
    await failed;
    const states = [await told.next(), await told.next()]
      .map(({ name, status }) => `${name} ${status}`)
      .sort();
    expect(states).toStrictEqual(['half Failed', 'sick Failed']);
    await Promise.all([sick.stop(), well.stop()]);
  });

  it('lets a wait for service be given up, and ends it when it closes', async () => {
    const container = await FrameContainer.start();
    container.pingStatus = 503;
    const clock = new ManualClock();
    world = await startWorld({
      waits: false,
      clock,
      endpoints: [{ name: 'demo', containerUrl: container.url }],
    });
    const { runtime } = world;
    await expect(runtime.whenInService({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    const given = new AbortController();
    const waiting = expect(runtime.whenInService({ signal: given.signal })).rejects.toBe('enough');
    given.abort('enough');
    await waiting;
    const closed = expect(runtime.whenInService()).rejects.toMatchObject({ reason: 'runtime_closed' });
    await runtime.close();
    await closed;
    expect(clock.pending).toBe(0);
    await container.stop();
  });
});

describe('closing', () => {
  it('lets open streams go on, refuses new ones, and ends when the last one does', async () => {
    world = await startWorld();
    const { runtime } = world;
    const { client, far } = await world.open();
    const { port } = runtime;
    const closing = runtime.close({ deadlineMs: 60_000 });
    expect(await listens(port)).toBe(false);
    const refused = client.session.request({ ...client.stream.sentHeaders });
    const headers = await new Promise<Record<string, unknown>>((resolve) =>
      refused.once('response', resolve),
    );
    expect(headers).toMatchObject({ ':status': 503, 'x-amzn-errortype': 'ServiceUnavailableError' });
    client.send('still');
    expect(await far.heard.next()).toMatchObject({ payload: Buffer.from('still') });
    client.finish();
    await closing;
    expect([runtime.streamCount, runtime.connectionCount]).toStrictEqual([0, 0]);
  });

  it('ends what is left at its deadline, with an exception', async () => {
    const clock = new ManualClock();
    world = await startWorld({ clock });
    const { client, far } = await world.open();
    world.container.refusal = 0;
    const late = world.dial();
    await expect.poll(() => world.runtime.streamCount).toBe(2);
    const closing = world.runtime.close({ deadlineMs: 1_000 });
    clock.advance(1_000);
    expect(await client.answered.next()).toStrictEqual({
      kind: 'exception',
      name: 'InternalStreamFailure',
      body: { Message: 'The service is shutting down.' },
    });
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
    expect((await late.response)[':status']).toBe(503);
    client.finish();
    late.stream.end();
    await closing;
    expect(clock.pending).toBe(0);
  });

  it('now cuts everything', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    await world.runtime.destroy();
    expect(await client.answered.next()).toMatchObject({ kind: 'reset' });
    let heard = await far.heard.next();
    while (heard.kind !== 'gone') heard = await far.heard.next();
    expect([world.runtime.streamCount, world.runtime.connectionCount]).toStrictEqual([0, 0]);
  });

  it('twice is closing once', async () => {
    world = await startWorld();
    const { runtime } = world;
    const closing = runtime.close();
    expect(runtime.close()).toBe(closing);
    await closing;
    await runtime.close();
    await runtime.destroy();
  });

  it('leaves no socket, no timer and no file behind, whatever was going on', async () => {
    const clock = new ManualClock();
    const before = new Set(openHandles());
    const sockets = (): object[] => openHandles().filter((handle) => !before.has(handle));
    world = await startWorld({ isPlaintext: false, clock });
    const folder = dirname(world.runtime.authorityPath ?? '');
    const open = await world.open();
    open.client.send('x');
    const paused = await world.open();
    paused.client.stream.pause();
    for (let i = 0; i < 100; i += 1) paused.far.send(Buffer.alloc(32 * 1024));
    world.container.refusal = 0;
    world.dial();
    await expect.poll(() => world.runtime.streamCount).toBe(3);
    expect(sockets()).not.toStrictEqual([]);
    await world.dispose();
    expect(clock.pending).toBe(0);
    expect(existsSync(folder)).toBe(false);
    await expect.poll(() => sockets().length).toBe(0);
  });

  it('is possible when listening failed: nothing is left of the try', async () => {
    world = await startWorld();
    const clock = new ManualClock();
    const again = createSageMakerStandIn({
      port: world.runtime.port,
      clock,
      endpoints: [{ name: 'demo', containerUrl: world.container.url }],
    });
    await expect(again).rejects.toBeInstanceOf(SageMakerError);
    expect(clock.pending).toBe(0);
  });
});
