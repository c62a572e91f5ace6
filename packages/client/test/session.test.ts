import { encodeServerEvent } from '@kikitori/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CLIENT_LIMITS, ClientError, connect, type Session, type SessionEvent } from '../src/index.js';
import { fakeServer, frames, textOf } from './fake-server.js';

afterEach(() => {
  vi.useRealTimers();
});

async function eventsOf(session: Session): Promise<{ events: SessionEvent[]; error: unknown }> {
  const events: SessionEvent[] = [];
  try {
    for await (const event of session) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  promise.then(note, note);
  await turns(20);
  return settled;
}

describe('what a session says', () => {
  it('names the model, starts the utterance before its audio, and sends exactly one final', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, model: 'm' });
    for (let index = 0; index < 3; index += 1) await session.send(frames(index, 1));
    const transcript = await session.finish();
    expect(session.id).toBe('sess-fake');
    expect(transcript.text).toBe('0 1 2');
    const { log } = await server.visit();
    expect(log).toEqual([
      '{"type":"session.update","model":"m","kikitori":{"words":true,"partials":false,"replay":true}}',
      'commit',
      'append 0',
      'append 1',
      'append 2',
      'final',
      'done',
    ]);
  });

  it('asks for words and partials only when told to or needed, and passes the key', async () => {
    const lines: (string | undefined)[] = [];
    for (const options of [
      { words: true },
      { words: true, reconnect: false },
      { reconnect: false },
      { reconnect: false, delayMs: 2000 },
    ]) {
      const plain = fakeServer();
      const session = await connect({ connect: plain.connect, ...options });
      await session.close();
      lines.push(...(await plain.visit()).log);
    }
    expect(lines).toEqual([
      '{"type":"session.update","model":"","kikitori":{"words":true,"partials":false,"replay":true}}',
      '{"type":"session.update","model":"","kikitori":{"words":true,"partials":false}}',
      '{"type":"session.update","model":""}',
      '{"type":"session.update","model":"","kikitori":{"words":false,"partials":false,"delay_ms":2000}}',
    ]);
    const server = fakeServer();
    const session = await connect({ connect: server.connect, apiKey: 'k' });
    await session.close();
    const { handshake } = await server.visit();
    expect(handshake.headers).toEqual({ authorization: 'Bearer k' });
    expect(handshake.path).toBe('/v1/realtime');
  });

  it('starts no utterance without audio: finishing at once gives an empty transcript', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, reconnect: false });
    expect(await session.finish()).toEqual({ text: '', words: [], utterances: [], usage: null });
    expect((await server.visit()).log).toEqual(['{"type":"session.update","model":""}']);
  });

  it('cuts an array of any length into messages of whole frames, and sends the remainder with the end', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const audio = new Int16Array(1280 * 30 + 7).fill(5);
    await session.send(audio);
    await session.finish();
    const visit = await server.visit();
    expect(visit.receivedSamples).toBe(audio.length);
    expect(visit.log.filter((line) => line.startsWith('append')).length).toBeLessThan(8);
  });

  it('sends in the order of the calls, also when nobody awaits them', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const sends = Array.from({ length: 100 }, (_, index) => session.send(frames(index, 1)));
    const { text } = await session.finish();
    await Promise.all(sends);
    expect(text).toBe(textOf(0, 100).trim());
  });

  it('holds audio between final and done, where vLLM loses it, and sends it as the next utterance', async () => {
    const server = fakeServer({ holdsDone: true });
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 2));
    const ending = session.endUtterance();
    const visit = await server.visit();
    // These resolve although nothing can be sent: the audio is copied and kept.
    const later = frames(2, 2);
    await session.send(later);
    later.fill(99);
    expect(await isSettled(ending)).toBe(false);
    expect(visit.log.at(-1)).toBe('final');
    await visit.finishUtterance();
    await ending;
    const finishing = session.finish();
    await vi.waitFor(() => expect(visit.log.at(-1)).toBe('final'));
    await visit.finishUtterance();
    const transcript = await finishing;
    expect(transcript.text).toBe('0 1 2 3');
    expect(transcript.usage).toEqual({ promptTokens: 2, completionTokens: 4, totalTokens: 6 });
    expect(transcript.utterances).toEqual([
      { text: '0 1', startMs: 0, endMs: 160, words: [] },
      { text: '2 3', startMs: 160, endMs: 320, words: [] },
    ]);
    expect(visit.lostSamples).toBe(0);
    expect(visit.log.filter((line) => ['commit', 'final', 'done'].includes(line))).toEqual([
      'commit',
      'final',
      'done',
      'commit',
      'final',
      'done',
    ]);
  });

  it('makes send wait once the bound of what it holds is reached', async () => {
    const server = fakeServer({ holdsDone: true });
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 1));
    const ending = session.endUtterance();
    const half = new Int16Array(CLIENT_LIMITS.heldBytesMax / 4);
    await session.send(half);
    await session.send(half);
    const waiting = session.send(half);
    expect(await isSettled(waiting)).toBe(false);
    await (await server.visit()).finishUtterance();
    await ending;
    await waiting;
    await session.close();
  });

  it('begins a new utterance after a done that it did not ask for', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 1));
    const visit = await server.visit();
    await vi.waitFor(() => expect(visit.log.at(-1)).toBe('append 0'));
    await visit.finishUtterance();
    await turns(5);
    await session.send(frames(1, 1));
    expect((await session.finish()).text).toBe('0 1');
    expect(visit.lostSamples).toBe(0);
    expect(visit.log.filter((line) => line === 'final')).toHaveLength(1);
  });

  it('ends an utterance once, however often it is told to', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    await session.endUtterance();
    await session.send(frames(0, 1));
    await Promise.all([session.endUtterance(), session.endUtterance(), session.endUtterance()]);
    await session.endUtterance();
    await session.finish();
    const { log } = await server.visit();
    expect(log.filter((line) => line === 'final')).toHaveLength(1);
  });
});

describe('what a session tells', () => {
  it('gives deltas and the end of the utterance as they come, then finishes', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const reading = eventsOf(session);
    await session.send(frames(0, 2));
    await session.finish();
    expect(await reading).toEqual({
      events: [
        { type: 'delta', text: ' 0' },
        { type: 'delta', text: ' 1' },
        {
          type: 'done',
          text: ' 0 1',
          usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 },
        },
      ],
      error: undefined,
    });
  });

  it('gives words, utterances, progress and partials with our spelling, and collects the words', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, words: true, partials: true });
    const reading = eventsOf(session);
    await session.send(frames(0, 1));
    const visit = await server.visit();
    const words = [{ text: 'hi', start_ms: 10, end_ms: 90 }];
    await visit.tell({ type: 'transcription.delta', delta: ' hi', audio_ms: 90 });
    await visit.tell({ type: 'kikitori.partial', text: 'the', audio_ms: 120 });
    await visit.tell({ type: 'kikitori.progress', received_ms: 200, settled_ms: 90 });
    await visit.tell({ type: 'kikitori.utterance', text: 'hi', start_ms: 10, end_ms: 90, words });
    const transcript = await session.finish();
    const { events } = await reading;
    const word = { text: 'hi', startMs: 10, endMs: 90 };
    expect(events).toContainEqual({ type: 'delta', text: ' hi', audioMs: 90 });
    expect(events).toContainEqual({ type: 'partial', text: 'the', audioMs: 120 });
    expect(events).toContainEqual({ type: 'progress', receivedMs: 200, settledMs: 90, lagMs: 0 });
    expect(events).toContainEqual({ type: 'utterance', text: 'hi', startMs: 10, endMs: 90, words: [word] });
    expect(transcript.words).toEqual([word]);
    expect(transcript.utterances).toEqual([{ text: 'hi', startMs: 10, endMs: 90, words: [word] }]);
  });

  it('passes events through that it does not know', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const reading = eventsOf(session);
    const visit = await server.visit();
    await visit.connection.send('{"type":"session.updated","id":7}');
    await turns(3);
    await session.finish();
    expect((await reading).events).toEqual([
      { type: 'unknown', name: 'session.updated', raw: { type: 'session.updated', id: 7 } },
    ]);
  });

  it('understands events that come as bytes, as SageMaker sends them', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const visit = await server.visit();
    await session.send(frames(0, 1));
    const text = encodeServerEvent({ type: 'transcription.delta', delta: ' größer' });
    await visit.connection.send(new TextEncoder().encode(text));
    await turns(3);
    expect(session.transcript.text).toContain('größer');
    await session.close();
  });

  it('gives the whole transcript to a caller who never looks at an event', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const visit = await server.visit();
    await session.send(frames(0, 1));
    const flood = CLIENT_LIMITS.eventsMax + 10;
    for (let index = 0; index < flood; index += 1) {
      await visit.tell({ type: 'transcription.delta', delta: '' });
    }
    expect((await session.finish()).text).toBe('0');
    expect(() => session[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'already_read' }));
  });

  it('makes the server wait for a caller who loops slowly, and loses nothing', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    const visit = await server.visit();
    const iterator = session[Symbol.asyncIterator]();
    const count = CLIENT_LIMITS.eventsHighWater * 3;
    let toldCount = 0;
    const telling = (async () => {
      for (; toldCount < count; toldCount += 1) {
        await visit.tell({ type: 'transcription.delta', delta: `${toldCount}` });
      }
    })();
    expect(await isSettled(telling)).toBe(false);
    expect(toldCount).toBeLessThan(count);
    const texts: unknown[] = [];
    while (texts.length < count) {
      const next = await iterator.next();
      texts.push(next.value?.type === 'delta' ? next.value.text : next.value);
    }
    await telling;
    expect(texts).toEqual(Array.from({ length: count }, (_, index) => `${index}`));
    await session.close();
  });

  it('can be finished from inside the loop over its events', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 1500));
    let text = '';
    for await (const event of session) {
      if (text === '' && event.type === 'delta') text = (await session.finish()).text;
    }
    expect(text).toBe(textOf(0, 1500).trim());
  });

  it('is read by one loop', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    session[Symbol.asyncIterator]();
    expect(() => session[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'already_read' }));
    await session.close();
  });

  it('goes on when the loop over its events is left', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 1));
    for await (const event of session) {
      expect(event.type).toBe('delta');
      break;
    }
    await session.send(frames(1, 1200));
    expect((await session.finish()).text).toBe(textOf(0, 1201).trim());
  });

  it('works with a server that says everything at the end', async () => {
    const server = fakeServer({ isLate: true });
    const session = await connect({ connect: server.connect });
    await session.send(frames(0, 50));
    const reading = eventsOf(session);
    expect((await session.finish()).text).toBe(textOf(0, 50).trim());
    expect((await reading).events.map(({ type }) => type)).toEqual(['delta', 'done']);
  });
});

describe('how a session ends', () => {
  it('fails everything with the one error that the server reported', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, reconnect: false });
    const reading = eventsOf(session);
    await session.send(frames(0, 1));
    const visit = await server.visit();
    await vi.waitFor(() => expect(visit.log.at(-1)).toBe('append 0'));
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
    await vi.waitFor(() => expect(visit.log.at(-1)).toBe('final'));
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
    await vi.waitFor(() => expect(visit.log.at(-1)).toBe('final'));
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

describe('back-pressure of a session', () => {
  it('makes send wait for a server that does not read', async () => {
    let release: () => void = () => undefined;
    const isOpen = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = fakeServer({ beforeRead: () => isOpen });
    const session = await connect({ connect: server.connect });
    const sends: Promise<void>[] = [];
    let isWaiting = false;
    while (!isWaiting && sends.length < 1000) {
      const send = session.send(frames(sends.length, 1));
      sends.push(send);
      isWaiting = !(await isSettled(send));
    }
    expect(isWaiting).toBe(true);
    const controller = new AbortController();
    const aborted = session.send(frames(7, 1), { signal: controller.signal });
    controller.abort();
    release();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    await Promise.all(sends);
    expect((await session.finish()).text).toBe(textOf(0, sends.length).trim());
  });

  it('refuses what callers pile up without awaiting', async () => {
    const server = fakeServer({ beforeRead: () => new Promise(() => undefined) });
    const session = await connect({ connect: server.connect });
    const minutes = new Float32Array(CLIENT_LIMITS.waitingBytesMax / 8);
    const first = session.send(minutes).catch((error: unknown) => error);
    const second = session.send(minutes).catch((error: unknown) => error);
    await expect(session.send(minutes)).rejects.toMatchObject({ code: 'overflow' });
    session.destroy();
    expect(await first).toBeInstanceOf(ClientError);
    expect(await second).toBeInstanceOf(ClientError);
  });
});
