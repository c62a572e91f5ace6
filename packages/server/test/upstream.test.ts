/** What a server tells of a model server behind its engine, which comes and goes. */
import { createScriptedEngine } from '@kikitori/engine';
import { attachWebSockets } from '@kikitori/transport/ws';
import { describe, expect, it } from 'vitest';
import { startServer } from '../src/start-server.js';
import type { Upstream } from '../src/upstream.js';
import { append, commit, deltasOf, final, RealtimeClient, update } from './realtime-client.js';
import { startTestServer } from './test-server.js';

/** One that a test lets come and go. */
class Behind implements Upstream {
  readonly label = 'another server';
  readonly losses = new Map<string, number>();
  missing: string | undefined;
  maxModelLen: number | undefined = 45_000;
}

const AWAY = 'The model server is away.';

async function json(url: string): Promise<unknown[]> {
  const answer = await fetch(url);
  return [answer.status, await answer.json()];
}

describe('a server in front of a model server', () => {
  it('is ready while that one is, and says what is missing when not', async () => {
    const upstream = new Behind();
    await using test = await startTestServer({ server: { upstream } });
    const status = async (path: string) => (await fetch(`${test.url}${path}`)).status;
    expect(await json(`${test.url}/ready`)).toEqual([200, { ready: true }]);
    expect([await status('/health'), await status('/ping')]).toEqual([200, 200]);
    upstream.missing = AWAY;
    expect(await json(`${test.url}/ready`)).toEqual([
      503,
      { ready: false, missing: { code: 'upstream', message: AWAY } },
    ]);
    expect([await status('/health'), await status('/ping')]).toEqual([503, 503]);
    expect(await json(`${test.url}/v1/page`)).toMatchObject([200, { missing: AWAY }]);
    upstream.missing = undefined;
    expect([await status('/ready'), await status('/health')]).toEqual([200, 200]);
  });

  it('lets nobody in while that one is away, and whoever is in stays', async () => {
    const upstream = new Behind();
    await using test = await startTestServer({ server: { upstream } });
    const client = await RealtimeClient.connect(test.realtime);
    upstream.missing = AWAY;
    await expect(RealtimeClient.connect(test.realtime)).rejects.toMatchObject({ httpStatus: 503 });
    const file = await fetch(`${test.url}/v1/audio/transcriptions`, { method: 'POST', body: 'x' });
    expect([file.status, await file.json()]).toMatchObject([503, { error: { message: AWAY } }]);
    await client.send(update('scripted'), commit, append(2_000), final);
    expect(deltasOf(await client.until('transcription.done'))).toBe(' First words spoken.');
    await client.connection.close();
    expect(await test.metric('kikitori_sessions_refused_total{reason="upstream"}')).toBe(2);
  });

  it('shows how long its utterances may be, and what was lost on the way to it', async () => {
    const upstream = new Behind();
    await using test = await startTestServer({ server: { upstream } });
    expect(await json(`${test.url}/v1/models`)).toMatchObject([200, { data: [{ max_model_len: 45_000 }] }]);
    upstream.losses.set('connection_lost', 2);
    const lost = 'kikitori_upstream_failures_total{code="connection_lost"}';
    expect([await test.metric(lost), await test.metric('kikitori_upstream_ready')]).toEqual([2, 1]);
    upstream.losses.set('connection_lost', 3);
    upstream.missing = AWAY;
    expect([await test.metric(lost), await test.metric('kikitori_upstream_ready')]).toEqual([3, 0]);
  });

  it('is not ready while every place is taken, and healthy all the same', async () => {
    await using test = await startTestServer({ engine: { streamsMax: 1 } });
    const client = await RealtimeClient.connect(test.realtime);
    expect(await json(`${test.url}/ready`)).toMatchObject([503, { missing: { code: 'busy' } }]);
    expect((await fetch(`${test.url}/health`)).status).toBe(200);
    await client.connection.close();
  });

  it('says what it waits for before there is an engine', async () => {
    const upstream = new Behind();
    upstream.missing = AWAY;
    let found = (): void => undefined;
    const engine = new Promise<void>((resolve) => {
      found = resolve;
    }).then(() => createScriptedEngine({ script: [] }));
    const server = await startServer({ attach: attachWebSockets, port: 0, engine, upstream });
    const ready = `${server.url}/ready`;
    expect(await json(ready)).toEqual([503, { ready: false, missing: { code: 'upstream', message: AWAY } }]);
    expect(await json(`${server.url}/v1/page`)).toMatchObject([503, { missing: AWAY, loading: {} }]);
    expect(await json(`${server.url}/health`)).toMatchObject([503, { error: { message: AWAY } }]);
    await expect(RealtimeClient.connect(`${server.url}/v1/realtime`)).rejects.toMatchObject({
      httpStatus: 503,
    });
    upstream.missing = undefined;
    expect(await json(ready)).toMatchObject([503, { missing: { code: 'model' } }]);
    found();
    await server.ready;
    expect((await fetch(ready)).status).toBe(200);
    await server.close();
  });
});
