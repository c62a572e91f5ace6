import { describe, expect, it } from 'vitest';
import { startTestServer } from '../test-server.js';

describe('the card of one model', () => {
  it('is that of the list, also where its name holds a slash, escaped or not', async () => {
    await using test = await startTestServer({ server: { models: ['kikitori', 'me/ours'] } });
    const list = await (await fetch(`${test.url}/v1/models`)).json();
    for (const [path, at] of [
      ['kikitori', 0],
      ['kikitori?x=1', 0],
      ['me/ours', 1],
      ['me%2Fours', 1],
    ] as const) {
      const answer = await fetch(`${test.url}/v1/models/${path}`);
      expect([answer.status, await answer.json()], path).toEqual([200, list.data[at]]);
    }
  });

  it('is there for an alias, and says which model answers', async () => {
    await using test = await startTestServer();
    const answer = await fetch(`${test.url}/v1/models/whisper-1`);
    expect(await answer.json()).toMatchObject({ id: 'whisper-1', object: 'model', root: 'scripted' });
  });

  it('that is not there is an error as an object', async () => {
    await using test = await startTestServer();
    for (const path of ['nobody', '', '%', '%E0%A4%A', 'scripted/', '..%2Fmodels']) {
      const answer = await fetch(`${test.url}/v1/models/${path}`);
      expect([answer.status, await answer.json()], path).toEqual([
        404,
        {
          error: {
            message: 'The model does not exist. GET /v1/models lists those that do.',
            type: 'NotFoundError',
            param: 'model',
            code: 404,
          },
        },
      ]);
    }
  });

  it('needs the key, where there is one', async () => {
    await using test = await startTestServer({ server: { apiKey: 'key' } });
    expect((await fetch(`${test.url}/v1/models/scripted`)).status).toBe(401);
    const headers = { authorization: 'Bearer key' };
    expect((await fetch(`${test.url}/v1/models/scripted`, { headers })).status).toBe(200);
    const wrong = await fetch(`${test.url}/v1/models/scripted`, { headers, method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
  });
});
