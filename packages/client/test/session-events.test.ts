import { encodeServerEvent } from '@kikitori/protocol';
import { describe, expect, it } from 'vitest';
import { CLIENT_LIMITS, connect } from '../src/index.js';
import { fakeServer, frames, textOf } from './fake-server.js';
import { eventsOf, isSettled, turns } from './turns.js';

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

  it('says who begins to speak, once, also where another connection hears him once more', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, words: true, onsets: true });
    const reading = eventsOf(session);
    const visit = await server.visit();
    const nothing = { type: 'kikitori.utterance', text: '', start_ms: 120, end_ms: 200, words: [] } as const;
    await visit.tell({ type: 'kikitori.onset', start_ms: 120 });
    await visit.tell({ type: 'kikitori.onset', start_ms: 120 });
    await visit.tell(nothing);
    await visit.tell(nothing);
    await session.finish();
    const { events } = await reading;
    expect(events.filter(({ type }) => type === 'onset' || type === 'utterance')).toEqual([
      { type: 'onset', startMs: 120 },
      { type: 'utterance', text: '', startMs: 120, endMs: 200, words: [] },
    ]);
  });

  it('hands on what the server is unsure of, while it is being said and in the transcript', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, words: true });
    const reading = eventsOf(session);
    await session.send(frames(0, 1));
    const visit = await server.visit();
    const words = [{ text: 'bonjour', start_ms: 10, end_ms: 90 }];
    await visit.tell({ type: 'transcription.delta', delta: ' bonjour', audio_ms: 90, unsure: true });
    await visit.tell({
      type: 'kikitori.utterance',
      text: 'bonjour',
      start_ms: 10,
      end_ms: 90,
      words,
      unsure: true,
    });
    const { utterances } = await session.finish();
    const { events } = await reading;
    expect(events).toContainEqual({ type: 'delta', text: ' bonjour', audioMs: 90, unsure: true });
    expect(events).toContainEqual(expect.objectContaining({ type: 'utterance', unsure: true }));
    expect(utterances).toMatchObject([{ text: 'bonjour', unsure: true }]);
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
