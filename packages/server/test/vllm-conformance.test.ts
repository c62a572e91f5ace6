/**
 * vLLM's own realtime tests (tests/entrypoints/speech_to_text/realtime/test_realtime_validation.py), re-created in our
 * words over a real WebSocket, and the message sequences of the two clients that vLLM ships.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { append, appends, commit, deltasOf, final, RealtimeClient, update } from './realtime-client.js';
import { startTestServer, type TestServer } from './test-server.js';

let test: TestServer;
beforeEach(async () => {
  test = await startTestServer();
});
afterEach(async () => {
  await test[Symbol.asyncDispose]();
});

describe("vLLM's realtime tests", () => {
  it('multi_chunk_streaming: a warm-up utterance, then a whole one on the same socket', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    expect((await client.next())?.type).toBe('session.created');
    await client.send(update('scripted'), commit, append(100), final);
    expect((await client.until('transcription.done', 'error')).at(-1)?.type).toBe('transcription.done');

    await client.send(commit, ...appends(3900, 100), final);
    const events = await client.until('transcription.done', 'error');
    const done = events.at(-1);
    expect(new Set(events.slice(0, -1).map((event) => event.type))).toEqual(new Set(['transcription.delta']));
    expect(done).toMatchObject({ type: 'transcription.done', text: deltasOf(events) });
    expect(done?.text).toBe(' First words spoken. First words spoken.');
    await client.connection.close();
  });

  it('empty_commit_does_not_crash_engine: an utterance without audio is answered, and the next session works', async () => {
    const first = await RealtimeClient.connect(test.realtime);
    await first.next();
    await first.send(update('scripted'), commit, final);
    expect(await first.next()).toMatchObject({ type: 'transcription.done', text: '' });
    await first.connection.close();

    const second = await RealtimeClient.connect(test.realtime);
    await second.next();
    await second.send(update('scripted'), commit, append(2000), final);
    const events = await second.until('transcription.done');
    expect(events.map((event) => event.type)).not.toContain('error');
    expect(deltasOf(events)).toBe(' First words spoken.');
    await second.connection.close();
  });

  it('session_update_invalid_model_returns_error', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    await client.next();
    await client.send(update('nonexistent-model'));
    expect(await client.next()).toEqual({
      type: 'error',
      error: 'The model `nonexistent-model` does not exist.',
      code: 'model_not_found',
    });
    await client.connection.close();
  });

  it('commit_without_session_update_returns_error', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    await client.next();
    await client.send(final);
    expect(await client.next()).toMatchObject({ type: 'error', code: 'model_not_validated' });
    await client.connection.close();
  });
});

describe("vLLM's clients", () => {
  it('the file client: sends everything at once, reads nothing until then', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    expect(await client.next()).toMatchObject({ type: 'session.created' });
    // 60 s of audio in the client's chunks of 2048 samples, with Python's separators.
    const python = [update('scripted'), commit, ...appends(60_032, 128), final].map((event) =>
      JSON.stringify(event, null, 1).replaceAll('\n', '').replaceAll('{ ', '{').replaceAll(',  ', ', '),
    );
    await client.send(...python);
    const events = await client.until('transcription.done');
    expect(deltasOf(events)).toBe(' First words spoken.'.repeat(30));
    expect(events.at(-1)).toEqual({
      type: 'transcription.done',
      text: deltasOf(events),
      usage: {
        prompt_tokens: 751,
        total_tokens: 841,
        completion_tokens: 90,
        prompt_tokens_details: null,
      },
    });
    await client.connection.close();
  });

  it('the microphone client: no final and no close, words come while it speaks; the slot is free when it is gone', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    await client.next();
    await client.send(update('scripted'), commit);
    for (const text of [' First', ' words', ' spoken.']) {
      await client.send(...appends(400, 40));
      expect(await client.next()).toEqual({ type: 'transcription.delta', delta: text });
    }
    expect(test.engine.calls.streamsOpen).toBe(1);
    client.connection.destroy();
    while (test.engine.calls.streamsOpen > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(test.server.sessionCount).toBe(0);
  });

  it('are told byte for byte what vLLM tells them', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    await client.next();
    await client.send(update('scripted'), commit, append(1000), final);
    await client.until('transcription.done');
    const [created = '', ...others] = client.raw;
    expect(created).toMatch(/^\{"type":"session\.created","id":"sess-[0-9a-f]{16}","created":\d{10}\}$/);
    expect(others).toEqual([
      '{"type":"transcription.delta","delta":" First"}',
      '{"type":"transcription.delta","delta":" words"}',
      '{"type":"transcription.delta","delta":" spoken."}',
      '{"type":"transcription.done","text":" First words spoken.","usage":{"prompt_tokens":13,"total_tokens":16,"completion_tokens":3,"prompt_tokens_details":null}}',
    ]);
    await client.connection.close();
  });
});

describe('the extension', () => {
  it('adds times for a client that asks', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    await client.next();
    await client.send(update('scripted', { words: true, partials: true }), commit, append(2000), final);
    const events = await client.until('transcription.done');
    const deltas = events.filter((event) => event.type === 'transcription.delta');
    expect(deltas.map((event) => event.audio_ms)).toEqual([400, 800, 1200]);
    expect(events.find((event) => event.type === 'kikitori.utterance')).toEqual({
      type: 'kikitori.utterance',
      text: 'First words spoken.',
      start_ms: 100,
      end_ms: 1200,
      words: [
        { text: 'First', start_ms: 100, end_ms: 400 },
        { text: 'words', start_ms: 500, end_ms: 800 },
        { text: 'spoken.', start_ms: 900, end_ms: 1200 },
      ],
    });
    expect(events.some((event) => event.type === 'kikitori.progress')).toBe(true);
    expect(events.some((event) => event.type === 'kikitori.partial')).toBe(true);
    await client.connection.close();
  });

  it('refuses wrong types in it', async () => {
    const client = await RealtimeClient.connect(test.realtime);
    await client.next();
    await client.send(update('scripted', { words: 'yes' }));
    expect(await client.next()).toMatchObject({ type: 'error', code: 'invalid_event' });
    await client.connection.close();
  });
});
