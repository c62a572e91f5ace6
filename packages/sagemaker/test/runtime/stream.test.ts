import { OPCODE } from '@kikitori/transport/frames';
import { afterEach, describe, expect, it } from 'vitest';
import { startWorld, type World } from './world.js';

let world: World;
afterEach(() => world.dispose());

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

  it('ends when the client ends its input: Close 1000 for the container, a clean end for the client', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.send('last');
    client.finish();
    expect(await far.heard.next()).toMatchObject({ kind: 'text' });
    expect(await far.heard.next()).toStrictEqual({ kind: 'close', code: 1000, reason: '' });
    expect(await client.answered.next()).toStrictEqual({ kind: 'end' });
    expect(await world.logged('stream ended')).toMatchObject({ end: 'client_done', clientParts: 1 });
  });
});
