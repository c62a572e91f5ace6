/** Handshakes, and the HTTP beside the WebSocket. */
import { expect } from 'vitest';
import { RawClient } from '../raw-client.js';
import { type Check, connected, SINCE_0_31, type World } from './check.js';

async function get({ httpUrl }: World, path: string, key?: string): Promise<Response> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return await fetch(`${httpUrl}${path}`, { headers });
}

const PUBLIC = ['/health', '/ping', '/version', '/load', '/metrics'];

export const DOOR_CHECKS: readonly Check[] = [
  {
    name: 'greets with session.created at once: an id of 16 hexadecimal digits, and Unix seconds',
    on: ['roomy', 'tight'],
    run: async (world) => {
      const client = await RawClient.open(world.url, { key: world.key });
      const created = await client.next();
      expect(Object.keys(created)).toStrictEqual(['type', 'id', 'created']);
      expect(created['id']).toMatch(/^sess-[0-9a-f]{16}$/);
      expect(Number.isInteger(created['created'])).toBe(true);
      await client.close();
    },
  },
  {
    name: 'reads no query, and answers pings',
    run: async (world) => {
      const client = await connected({ ...world, url: `${world.url}?intent=transcription&model=x` });
      const answered = new Promise((resolve) => client.socket.once('pong', resolve));
      client.socket.ping('there');
      expect(String(await answered)).toBe('there');
      await client.close();
    },
  },
  {
    name: 'chooses no subprotocol',
    run: async (world) => {
      const refused = RawClient.open(world.url, { protocols: ['realtime'] });
      await expect(refused).rejects.toThrow('no subprotocol');
    },
  },
  {
    name: 'answers a handshake on another path with 403 and nothing, and other requests there with 404',
    run: async (world) => {
      const refused = await RawClient.refused(`${world.url}/`);
      expect([refused.status, refused.body]).toStrictEqual([403, '']);
      for (const method of ['GET', 'POST']) {
        const answer = await fetch(`${world.httpUrl}/v1/realtime`, { method });
        expect([answer.status, await answer.json()]).toStrictEqual([404, { detail: 'Not Found' }]);
      }
    },
  },
  {
    name: 'says on /health and /ping that it is well, and which version it is',
    run: async (world) => {
      for (const path of ['/health', '/ping']) {
        const answer = await get(world, path);
        expect([answer.status, await answer.text()]).toStrictEqual([200, '']);
      }
      const { version } = (await (await get(world, '/version')).json()) as { readonly version: string };
      expect(version.startsWith(world.age)).toBe(true);
      expect(await (await get(world, '/load')).json()).toStrictEqual({ server_load: 0 });
    },
  },
  {
    name: 'names its models on /v1/models, and how long an utterance may become',
    on: ['roomy', 'tight'],
    run: async (world) => {
      const answer = (await (await get(world, '/v1/models', world.key)).json()) as ModelList;
      expect(answer.object).toBe('list');
      const [card] = answer.data;
      expect(card).toMatchObject({ id: world.model, object: 'model', owned_by: 'vllm', parent: null });
      expect(card?.max_model_len).toBe(world.maxModelLen);
    },
  },
  {
    name: 'tells in its metrics how many utterances of full length its cache holds, of which blocks times their size says nothing',
    on: ['roomy', 'tight'],
    ages: SINCE_0_31,
    run: async (world) => {
      const labels = await cacheLabels(world);
      const concurrency = Number(labels.get('kv_cache_max_concurrency'));
      const tokens = Number(labels.get('kv_cache_size_tokens'));
      expect([labels.get('block_size'), labels.get('num_gpu_blocks')]).toStrictEqual(['128', '2048']);
      expect(concurrency).toBe(world.maxModelLen === 128 ? 512 : 2_048 / 22);
      expect(tokens).toBe(Math.floor(concurrency * world.maxModelLen));
      expect(tokens).toBeLessThan(2_048 * 128);
    },
  },
  {
    name: 'wants its key of a handshake (401 else) and of /v1/models, and of nothing that watches over it',
    on: ['tight'],
    ages: SINCE_0_31,
    run: async (world) => {
      for (const key of [undefined, 'wrong', `${world.key}x`]) {
        const refused = await RawClient.refused(world.url, { key });
        expect([refused.status, refused.body]).toStrictEqual([401, '{"error":"Unauthorized"}']);
        expect(refused.headers['content-type']).toBe('application/json');
        const models = await get(world, '/v1/models', key);
        expect([models.status, await models.json()]).toStrictEqual([401, { error: 'Unauthorized' }]);
      }
      for (const path of PUBLIC) expect((await get(world, path)).status).toBe(200);
      await (await connected(world)).close();
    },
  },
  {
    name: 'falls over a handshake, with whatever key, once it has one: 500',
    on: ['locked'],
    run: async (world) => {
      for (const key of [undefined, 'wrong', world.key]) {
        const refused = await RawClient.refused(world.url, { key });
        expect([refused.status, refused.body]).toStrictEqual([500, 'Internal Server Error']);
      }
      expect((await get(world, '/v1/models')).status).toBe(401);
      expect((await get(world, '/v1/models', world.key)).status).toBe(200);
    },
  },
];

interface ModelList {
  readonly object: string;
  readonly data: readonly { readonly max_model_len: number }[];
}

async function cacheLabels(world: World): Promise<Map<string, string>> {
  const text = await (await get(world, '/metrics')).text();
  const line = text.split('\n').find((other) => other.startsWith('vllm:cache_config_info{')) ?? '';
  expect(line.endsWith('} 1.0')).toBe(true);
  return new Map(
    [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']): [string, string] => [
      name,
      value,
    ]),
  );
}
