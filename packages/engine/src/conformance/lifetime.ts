import type { SpeechStream } from '../engine.js';
import type { EngineUnderTest, TestRunner } from './engine.js';
import { Listener } from './listener.js';
import type { DeclareScene, Scene } from './scene.js';

/** Slots, closing, aborting, failing. */
export function describeLifetime(under: EngineUnderTest, { expect }: TestRunner, scene: DeclareScene): void {
  const { speech } = under;

  scene('refuses one stream too many at once, and a close frees the slot at once', async (test) => {
    const streams = await openAll(test);
    await test.expectRejection(test.engine.open(), 'engine_busy');
    // Not awaited before the next open: the slot is free when close was called.
    const closing = streams[0]?.close();
    const again = await test.engine.open();
    await closing;
    await test.expectRejection(test.engine.open(), 'engine_busy');
    await again.close();
  });

  scene('frees one slot only when a stream is closed twice', async (test) => {
    const streams = await openAll(test);
    await Promise.all([streams[0]?.close(), streams[0]?.close()]);
    await streams[0]?.close();
    await test.engine.open();
    await test.expectRejection(test.engine.open(), 'engine_busy');
  });

  scene('frees the slot when the consumer leaves its loop', async (test) => {
    const [first] = await openAll(test);
    if (first === undefined) return;
    first.flush(1);
    for await (const hypothesis of first.hypotheses) {
      if (hypothesis.type === 'flushed') break;
    }
    await test.expectRejection(first.write(new Float32Array(160)), 'engine_closed');
    await (await test.engine.open()).close();
  });

  scene('says nothing after close and ends the loop', async (test) => {
    const listener = await test.listen();
    await listener.write(speech.audio);
    listener.stream.flush(1);
    await listener.stream.close();
    const said = listener.heard.length;
    expect(await listener.ended).toBe(undefined);
    // One hypothesis may have been on its way to the consumer when it was closed.
    expect(listener.heard.length).toBeLessThanOrEqual(said + 1);
    test.expectInOrder(listener);
  });

  scene('rejects a write after close, and ignores a flush', async (test) => {
    const listener = await test.listen();
    await listener.stream.close();
    await test.expectRejection(listener.stream.write(new Float32Array(160)), 'engine_closed');
    listener.stream.flush(1);
    expect(await listener.ended).toBe(undefined);
    expect(listener.heard).toEqual([]);
  });

  scene('ends a write that waits when the stream is closed', async (test) => {
    const listener = await test.listen();
    const writes = Array.from({ length: 8 }, () => listener.stream.write(speech.audio));
    const settled = Promise.allSettled(writes);
    await listener.stream.close();
    for (const outcome of await settled) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'engine_closed' });
    }
  });

  scene('leaves the other streams alone when one is closed', async (test) => {
    const closing = await test.listen();
    const staying = await test.listen();
    const half = speech.audio.length >> 1;
    await Promise.all([
      closing.write(speech.audio.slice(0, half)),
      staying.write(speech.audio.slice(0, half)),
    ]);
    await closing.stream.close();
    await staying.write(speech.audio.slice(half));
    await staying.flush(1);
    test.expectSaid(staying, speech);
  });

  scene('does not open with a signal that is aborted, and takes no slot', async (test) => {
    const reason = new Error('changed my mind');
    const outcome = await test.engine
      .open({ signal: AbortSignal.abort(reason) })
      .catch((error: unknown) => error);
    expect(outcome).toBe(reason);
    expect((await openAll(test)).length).toBe(test.engine.info.streamsMax);
  });

  scene('leaves an open stream alone when the signal it was opened with is aborted later', async (test) => {
    const opening = new AbortController();
    const listener = new Listener(await test.engine.open({ signal: opening.signal }));
    opening.abort(new Error('too late'));
    await listener.write(speech.audio);
    await listener.flush(1);
    test.expectSaid(listener, speech);
  });

  scene('fails its streams with engine_closed when it is closed, and opens no more', async (test) => {
    const idle = await test.listen();
    const busy = await test.listen();
    await busy.write(speech.audio);
    await Promise.all([test.engine.close(), test.engine.close()]);
    expect(await idle.ended).toMatchObject({ name: 'EngineError', code: 'engine_closed' });
    expect(await busy.ended).toMatchObject({ name: 'EngineError', code: 'engine_closed' });
    test.expectInOrder(busy);
    await test.expectRejection(busy.stream.write(new Float32Array(160)), 'engine_closed');
    await test.expectRejection(test.engine.open(), 'engine_closed');
    await idle.stream.close();
  });
}

/** Takes every slot. */
async function openAll({ engine }: Scene): Promise<readonly SpeechStream[]> {
  const streams: SpeechStream[] = [];
  for (let slot = 0; slot < engine.info.streamsMax; slot += 1) streams.push(await engine.open());
  return streams;
}
