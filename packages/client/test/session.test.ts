import { afterEach, describe, expect, it, vi } from 'vitest';
import { CLIENT_LIMITS, ClientError, connect } from '../src/index.js';
import { fakeServer, frames, textOf } from './fake-server.js';
import { isSettled, turns } from './turns.js';

afterEach(() => {
  vi.useRealTimers();
});

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
      { words: true, onsets: true, reconnect: false },
      { onsets: true, reconnect: false },
      { reconnect: false },
      { reconnect: false, delayMs: 2000 },
      { reconnect: false, language: 'en_US' },
    ]) {
      const plain = fakeServer();
      const session = await connect({ connect: plain.connect, ...options });
      await session.close();
      lines.push(...(await plain.visit()).log);
    }
    expect(lines).toEqual([
      '{"type":"session.update","model":"","kikitori":{"words":true,"partials":false,"replay":true}}',
      '{"type":"session.update","model":"","kikitori":{"words":true,"partials":false}}',
      '{"type":"session.update","model":"","kikitori":{"words":true,"partials":false,"onsets":true}}',
      '{"type":"session.update","model":""}',
      '{"type":"session.update","model":""}',
      '{"type":"session.update","model":"","kikitori":{"words":false,"partials":false,"delay_ms":2000}}',
      '{"type":"session.update","model":"","language":"en_US"}',
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
    await expect.poll(() => visit.log.at(-1)).toBe('final');
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
    await expect.poll(() => visit.log.at(-1)).toBe('append 0');
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
