import { afterEach, expect, it, vi } from 'vitest';
import { until, World } from '../peers.js';

// A Node whose sockets cannot change hands.
vi.mock('../../src/wire/adopt.js', () => ({ adopt: () => undefined }));

const world = new World();
afterEach(() => world.close());

it('works where accepted sockets cannot read into shared memory', async () => {
  const upstream = await world.wsUpstream((socket) => {
    socket.on('message', (data) => socket.send(data, { binary: false }));
  });
  const { url, bridge } = await world.bridge({ upstream: upstream.url });
  const client = await world.wsClient(url);
  const texts = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(i * 300, '.'));
  for (const [index, text] of texts.entries()) client.socket.send(index % 2 === 0 ? text : Buffer.from(text));
  await until(() => client.texts.length === texts.length);
  expect(client.texts).toEqual(texts);
  client.socket.close(1000, 'enough');
  expect(await client.closed).toEqual({ code: 1000, reason: 'enough' });
  await until(() => bridge.sessionCount === 0);
});
