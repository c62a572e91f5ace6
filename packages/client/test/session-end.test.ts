import type { Connection } from '@kikitori/transport';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../src/index.js';
import { fakeServer, frames } from './fake-server.js';
import { eventsOf, turns } from './turns.js';

afterEach(() => {
  vi.useRealTimers();
});

describe('how a session ends', () => {
  it('fails everything with the one error that the server reported', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, reconnect: false });
    const reading = eventsOf(session);
    await session.send(frames(0, 1));
    const visit = await server.visit();
    await expect.poll(() => visit.log.at(-1)).toBe('append 0');
    await visit.tell({ type: 'error', error: 'Secret words', code: 'processing_error' });
    const { events, error } = await reading;
    expect(events).toEqual([{ type: 'delta', text: ' 0' }]);
    expect(error).toMatchObject({
      code: 'server_error',
      serverCode: 'processing_error',
      serverText: 'Secret words',
      retryable: true,
    });
    expect((error as Error).message).not.toContain('Secret');
    await expect(session.send(frames(1, 1))).rejects.toBe(error);
    await expect(session.endUtterance()).rejects.toBe(error);
    await expect(session.finish()).rejects.toMatchObject({ code: 'server_error' });
    expect(session.ended.reason).toBe(error);
    expect(session.transcript.text).toBe('0');
    await session.close();
    expect(await visit.ended).toBeUndefined();
  });

  it.each(['close', 'destroy'] as const)(
    'tells whoever waits for an end when the caller %ss it',
    async (how) => {
      const server = fakeServer({ holdsDone: true });
      const session = await connect({ connect: server.connect });
      await session.send(frames(0, 1));
      const ends = [session.endUtterance(), session.finish()];
      const told = ends.map((end) => expect(end).rejects.toMatchObject({ code: 'closed' }));
      await expect.poll(async () => (await server.visit()).log.at(-1)).toBe('final');
      await session[how]();
      await Promise.all(told);
    },
  );

  it('ends in order while a line takes nothing and says nothing, not even that it is closed', async () => {
    const server = fakeServer();
    const never = new Promise<void>(() => undefined);
    let sent = 0;
    const session = await connect({
      connect: async (options) => {
        const connection = await server.connect(options);
        const send: Connection['send'] = (message) => {
          sent += 1;
          return String(message).includes('append') ? never : connection.send(message);
        };
        return {
          id: connection.id,
          messages: connection.messages,
          send,
          close: () => connection.close(),
          destroy: (reason) => connection.destroy(reason),
        };
      },
    });
    const sending = expect(session.send(frames(0, 1))).rejects.toMatchObject({ code: 'closed' });
    await expect.poll(() => sent).toBe(3);
    await session.close();
    await sending;
  });

  it('knows of errors which are worth another try', async () => {
    const codes = { model_not_found: false, engine_busy: true, '': true, something_else: false };
    for (const [code, retryable] of Object.entries(codes)) {
      const server = fakeServer();
      const session = await connect({ connect: server.connect, reconnect: false });
      const visit = await server.visit();
      await visit.tell({ type: 'error', error: 'x', code: code === '' ? null : code });
      expect((await eventsOf(session)).error).toMatchObject({ code: 'server_error', retryable });
    }
  });

  it('fails when the server closes without a done', async () => {
    const server = fakeServer({ holdsDone: true });
    const session = await connect({ connect: server.connect, reconnect: false });
    await session.send(frames(0, 1));
    const finishing = session.finish();
    const visit = await server.visit();
    await expect.poll(() => visit.log.at(-1)).toBe('final');
    await visit.connection.close();
    await expect(finishing).rejects.toMatchObject({ code: 'closed', retryable: false });
  });

  it('says when another try may help after the connection ended', async () => {
    for (const [end, closeCode, retryable] of [
      ['restart', 1012, true],
      ['policy', 1008, false],
      ['vanish', 1006, true],
    ] as const) {
      const server = fakeServer();
      const session = await connect({ connect: server.connect, reconnect: false });
      const { connection } = await server.visit();
      if (end === 'vanish') connection.destroy();
      else await connection.close(closeCode, end);
      expect((await eventsOf(session)).error).toMatchObject({ code: 'closed', closeCode, retryable });
    }
  });

  it('fails on a message that is not an event', async () => {
    for (const message of ['not json', '[]', '{"type":"transcription.delta"}', '{"type":5}']) {
      const server = fakeServer();
      const session = await connect({ connect: server.connect });
      const visit = await server.visit();
      await visit.connection.send(message);
      expect((await eventsOf(session)).error).toMatchObject({ code: 'protocol_error' });
      expect(await visit.ended).toBeUndefined();
    }
  });

  it('gives up on a server that falls silent after the final', async () => {
    const server = fakeServer({ holdsDone: true });
    const session = await connect({ connect: server.connect, reconnect: false, finishTimeoutMs: 1000 });
    await session.send(frames(0, 25));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const finishing = session.finish();
    const failure = expect(finishing).rejects.toMatchObject({ code: 'timeout', retryable: true });
    const visit = await server.visit();
    while (visit.log.at(-1) !== 'final') await turns(1);
    // 2 s of audio and 1 s of patience; an event in between starts it anew.
    await vi.advanceTimersByTimeAsync(2900);
    await visit.tell({ type: 'transcription.delta', delta: '' });
    await turns(3);
    await vi.advanceTimersByTimeAsync(2900);
    expect(session.ended.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await failure;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('finishes once and keeps the transcript', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 1));
    const [first, second] = await Promise.all([session.finish(), session.finish()]);
    expect(first).toBe(second);
    await expect(session.send(frames(1, 1))).rejects.toMatchObject({ code: 'closed' });
    expect(session.transcript).toEqual(first);
    expect(await (await server.visit()).ended).toBeUndefined();
  });

  it('can be finished again after a finish that was aborted', async () => {
    const server = fakeServer({ holdsDone: true });
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 1));
    const controller = new AbortController();
    const given = session.finish({ signal: controller.signal });
    const visit = await server.visit();
    await expect.poll(() => visit.log.at(-1)).toBe('final');
    controller.abort(new Error('no patience'));
    await expect(given).rejects.toMatchObject({ code: 'aborted', cause: new Error('no patience') });
    const finishing = session.finish();
    await visit.finishUtterance();
    expect((await finishing).text).toBe('0');
    expect(visit.log.filter((line) => line === 'final')).toHaveLength(1);
  });

  it('closes without waiting for text, more than once, and ends a loop cleanly', async () => {
    const server = fakeServer({ holdsDone: true });
    const session = await connect({ connect: server.connect });
    const reading = eventsOf(session);
    await session.send(frames(0, 1));
    const finishing = session.finish();
    const refused = expect(finishing).rejects.toMatchObject({ code: 'closed' });
    await Promise.all([session.close(), session.close(), session[Symbol.asyncDispose]()]);
    await refused;
    expect((await reading).error).toBeUndefined();
    expect(await (await server.visit()).ended).toBeUndefined();
  });

  it('ends a loop with the reason it was destroyed with', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const reading = eventsOf(session);
    const reason = new Error('enough');
    session.destroy(reason);
    session.destroy();
    expect((await reading).error).toBe(reason);
    await expect(session.send(frames(0, 1))).rejects.toMatchObject({ code: 'closed', cause: reason });
    expect(await (await server.visit()).ended).toMatchObject({ code: 'connection_lost' });
    await session.close();
  });
});
