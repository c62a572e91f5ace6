import { describe, expect, it } from 'vitest';
import { commit, RealtimeClient } from './realtime-client.js';
import { eventually, handshake, startTestServer } from './test-server.js';

describe('routes', () => {
  it('health and ping answer 200 with an empty body', async () => {
    await using test = await startTestServer();
    for (const [method, path] of [
      ['GET', '/health'],
      ['GET', '/ping'],
      ['POST', '/ping'],
    ] as const) {
      const answer = await fetch(`${test.url}${path}`, { method });
      expect([answer.status, await answer.text()], `${method} ${path}`).toEqual([200, '']);
    }
  });

  it('models lists every served name in the shape of vLLM', async () => {
    await using test = await startTestServer({ server: { models: ['kikitori', 'mistralai/Voxtral'] } });
    const answer = await fetch(`${test.url}/v1/models`);
    expect(answer.headers.get('content-type')).toBe('application/json');
    const card = {
      object: 'model',
      created: expect.any(Number),
      owned_by: 'kikitori',
      root: 'scripted',
      parent: null,
      max_model_len: null,
      permission: [expect.objectContaining({ object: 'model_permission' })],
      languages: ['en'],
    };
    expect(await answer.json()).toEqual({
      object: 'list',
      data: [
        { id: 'kikitori', ...card },
        { id: 'mistralai/Voxtral', ...card },
      ],
    });
  });

  it('version tells the version of the package', async () => {
    await using test = await startTestServer();
    expect(await (await fetch(`${test.url}/version`)).json()).toEqual({ version: '0.1.0' });
  });

  it('an unknown path is 404 and a wrong method 405, as FastAPI says it', async () => {
    await using test = await startTestServer();
    for (const path of ['/', '/v1/realtime', '/v1/nothing', '/constructor', '/health/']) {
      const answer = await fetch(`${test.url}${path}`);
      expect([answer.status, await answer.text()], path).toEqual([404, '{"detail":"Not Found"}']);
    }
    const wrong = await fetch(`${test.url}/v1/models`, { method: 'DELETE' });
    expect([wrong.status, await wrong.text()]).toEqual([405, '{"detail":"Method Not Allowed"}']);
    expect(wrong.headers.get('allow')).toBe('GET');
  });
});

describe('an API key', () => {
  it('guards every route but health and ping', async () => {
    await using test = await startTestServer({ server: { apiKey: ['first', 'second'] } });
    for (const path of ['/health', '/ping']) expect((await fetch(`${test.url}${path}`)).status).toBe(200);
    for (const path of ['/v1/models', '/version', '/metrics', '/v1/audio/transcriptions']) {
      const answer = await fetch(`${test.url}${path}`);
      expect([answer.status, await answer.text()], path).toEqual([401, '{"error":"Unauthorized"}']);
    }
    for (const authorization of ['Bearer first', 'bearer second', 'BEARER  first', 'Token first', 'second']) {
      const answer = await fetch(`${test.url}/v1/models`, { headers: { authorization } });
      expect(answer.status, authorization).toBe(200);
    }
    for (const authorization of [
      'firs',
      'Basic first',
      'Token third',
      'Bearer',
      'Bearer ',
      'Bearer third',
      'Bearer firs',
    ]) {
      const answer = await fetch(`${test.url}/v1/models`, { headers: { authorization } });
      expect(answer.status, authorization).toBe(401);
    }
  });

  it('guards both WebSocket paths', async () => {
    await using test = await startTestServer({ server: { apiKey: 'key' } });
    for (const path of ['/v1/realtime', '/invocations-bidirectional-stream']) {
      for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
        await expect(RealtimeClient.connect(`${test.url}${path}`, { headers })).rejects.toMatchObject({
          code: 'refused',
          httpStatus: 401,
        });
      }
      const headers = { authorization: 'Bearer key' };
      const client = await RealtimeClient.connect(`${test.url}${path}`, { headers });
      expect(await client.next()).toMatchObject({ type: 'session.created' });
      await client.connection.close();
    }
  });

  it('is asked for with JSON on the handshake, as vLLM does', async () => {
    await using test = await startTestServer({ server: { apiKey: 'key' } });
    const answer = await handshake(test.server.port, '/v1/realtime');
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer.toLowerCase()).toContain('content-type: application/json');
    expect(answer).toMatch(/\r\n\r\n\{"error":"Unauthorized"\}$/);
  });
});

describe('a full server', () => {
  it('says when to come back, and lets the next one in as soon as there is a place', async () => {
    await using test = await startTestServer({ engine: { streamsMax: 1 } });
    const first = await RealtimeClient.connect(test.realtime);
    const answer = await handshake(test.server.port, '/v1/realtime');
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer.toLowerCase()).toContain('retry-after: 5');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toEqual({
      error: {
        message:
          'All 1 places of this server are taken. Try again in 5 seconds, or connect to another server.',
        type: 'ServiceUnavailableError',
        param: null,
        code: 503,
      },
    });
    await first.connection.close();
    await eventually(() => test.server.sessionCount === 0);
    const second = await RealtimeClient.connect(test.realtime);
    expect(await second.next()).toMatchObject({ type: 'session.created' });
    await second.connection.close();
  });

  it('has no place for a file either, and says the same', async () => {
    await using test = await startTestServer({ engine: { streamsMax: 1 } });
    const client = await RealtimeClient.connect(test.realtime);
    const form = new FormData();
    form.set('file', new Blob(['x']), 'x.wav');
    const answer = await fetch(`${test.url}/v1/audio/transcriptions`, { method: 'POST', body: form });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    await client.connection.close();
  });
});

describe('metrics', () => {
  it('have vLLM names for connections, ours for speech, each with help and unit, and no text in any label', async () => {
    await using test = await startTestServer();
    const client = await RealtimeClient.connect(test.realtime);
    await client.next();
    await client.send(
      '{"type":"session.update","model":"scripted"}',
      commit,
      'nonsense',
      { type: 'input_audio_buffer.append', audio: Buffer.alloc(64_000).toString('base64') },
      { type: 'input_audio_buffer.commit', final: true },
    );
    await client.until('transcription.done');
    expect(await test.metric('vllm:websocket_connections_active')).toBe(1);
    await client.connection.close();
    await eventually(() => test.server.sessionCount === 0);

    const text = await (await fetch(`${test.url}/metrics`)).text();
    expect(await test.metric('vllm:websocket_connections_active')).toBe(0);
    expect(await test.metric('vllm:websocket_connections_total')).toBe(1);
    expect(await test.metric('vllm:websocket_connection_duration_seconds_count')).toBe(1);
    expect(await test.metric('vllm:websocket_connection_duration_seconds_bucket{le="1800"}')).toBe(1);
    expect(await test.metric('kikitori_words_total{source="realtime"}')).toBe(3);
    expect(await test.metric('kikitori_audio_seconds_total{source="realtime"}')).toBe(2);
    expect(await test.metric('kikitori_errors_total{code="invalid_json"}')).toBe(1);
    expect(await test.metric('kikitori_word_lag_seconds_count')).toBe(3);
    expect(await test.metric('kikitori_time_to_first_delta_seconds_count')).toBe(1);
    expect(await test.metric('kikitori_time_to_final_seconds_count')).toBe(1);
    expect(await test.metric('kikitori_real_time_factor_count{source="realtime"}')).toBe(1);
    expect(await test.metric('kikitori_audio_lag_seconds')).toBe(0);
    expect(await test.metric('kikitori_sessions_active')).toBe(0);
    expect(await test.metric('kikitori_sessions_max')).toBe(4);
    for (const [, name, help] of text.matchAll(/^# HELP (\S+) (.+)$/gm)) {
      expect(help, name).toMatch(
        /, (in (seconds|connections|places|requests|events|words|shares|readers|snapshots)|a ratio|a truth value)/,
      );
    }
    expect(text).not.toMatch(/First|spoken/);
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label));
    expect(labels).toEqual(
      new Set(['le', 'source', 'code', 'reason', 'status'].filter((label) => labels.has(label))),
    );
  });
});
