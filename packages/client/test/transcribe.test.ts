import { describe, expect, it } from 'vitest';
import { type Pcm, transcribe } from '../src/index.js';
import { fakeServer, frames, textOf } from './fake-server.js';

async function* pieces(count: number): AsyncGenerator<Pcm, void, undefined> {
  for (let index = 0; index < count; index += 1) yield frames(index, 1);
}

describe('transcribe', () => {
  it('is one line for a whole recording', async () => {
    const { connect } = fakeServer();
    expect(await transcribe(frames(0, 20), { connect }).text).toBe(textOf(0, 20).trim());
  });

  it('takes a stream and tells events while it runs', async () => {
    const { connect } = fakeServer();
    const transcription = transcribe(pieces(5), { connect });
    const types: string[] = [];
    for await (const event of transcription) types.push(event.type);
    expect(types).toEqual(['delta', 'delta', 'delta', 'delta', 'delta', 'done']);
    expect(await transcription.transcript).toMatchObject({ text: '0 1 2 3 4', usage: { totalTokens: 3 } });
  });

  it('paces what it sends, by the clock it is given', async () => {
    let ms = 0;
    const clock = {
      nowMs: () => ms,
      unixMs: () => ms,
      after: (waitMs: number, run: () => void) => {
        ms += waitMs;
        queueMicrotask(run);
        return () => undefined;
      },
    };
    const { connect } = fakeServer();
    await transcribe(frames(0, 25), { connect, pace: 'realtime', clock }).text;
    expect(ms).toBe(2000);
  });

  it('rejects with the reason when it cannot connect, for the loop and for the text', async () => {
    const connect = async (): Promise<never> => {
      throw new Error('no');
    };
    const transcription = transcribe(frames(0, 1), { connect });
    await expect(transcription.text).rejects.toMatchObject({ code: 'connect_failed' });
    await expect(transcription[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'connect_failed',
    });
  });

  it("passes a source's own error on and ends the session", async () => {
    const failure = new Error('microphone unplugged');
    const server = fakeServer();
    async function* broken(): AsyncGenerator<Pcm, void, undefined> {
      yield frames(0, 1);
      throw failure;
    }
    const transcription = transcribe(broken(), { connect: server.connect });
    const reading = (async () => {
      for await (const _ of transcription);
    })();
    await expect(transcription.text).rejects.toBe(failure);
    await expect(reading).rejects.toBe(failure);
    expect(await (await server.visit()).ended).toMatchObject({ code: 'connection_lost' });
  });

  it('ends when the session ends although its source is silent, and releases the source', async () => {
    let isReleased = false;
    const source: AsyncIterable<Pcm> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          isReleased = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const server = fakeServer();
    const transcription = transcribe(source, { connect: server.connect, reconnect: false });
    const visit = await server.visit();
    await visit.tell({ type: 'error', error: 'full', code: 'engine_busy' });
    await expect(transcription.text).rejects.toMatchObject({ serverCode: 'engine_busy' });
    expect(isReleased).toBe(true);
    await expect(transcription[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      serverCode: 'engine_busy',
    });
  });

  it('ends everything when its signal fires', async () => {
    const controller = new AbortController();
    const server = fakeServer({ holdsDone: true });
    const transcription = transcribe(frames(0, 1), { connect: server.connect, signal: controller.signal });
    const visit = await server.visit();
    while (visit.log.at(-1) !== 'final') await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('bored'));
    await expect(transcription.text).rejects.toMatchObject({ code: 'aborted', cause: new Error('bored') });
    expect(await visit.ended).toMatchObject({ code: 'connection_lost' });
  });

  it('ends everything when its loop is left', async () => {
    const server = fakeServer();
    let isReleased = false;
    async function* endless(): AsyncGenerator<Pcm, void, undefined> {
      try {
        for (;;) yield frames(0, 1);
      } finally {
        isReleased = true;
      }
    }
    const transcription = transcribe(endless(), { connect: server.connect });
    for await (const event of transcription) {
      expect(event.type).toBe('delta');
      break;
    }
    await expect(transcription.text).rejects.toMatchObject({ code: 'aborted' });
    expect(await (await server.visit()).ended).toMatchObject({ code: 'connection_lost' });
    expect(isReleased).toBe(true);
  });
});
