import { connect } from '@kikitori/client';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterEach, describe, expect, it } from 'vitest';
import { main } from '../../src/main.js';
import { memoryContext } from '../memory-context.js';
import { written } from '../written.js';
import { noise, scriptedEngine, TEXT, wav } from './speech.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const servers: RunningServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function start(words: readonly string[], env: Record<string, string> = {}) {
  const context = memoryContext({ env, factories: { createLogger: async () => silent } });
  return { context, exit: main(['bridge', ...words], context) };
}

describe('kikitori bridge', () => {
  it('passes sessions on, answers /ping for the model server, prints no password, and ends at SIGTERM', async () => {
    const server = await startServer({ engine: scriptedEngine(), attach: attachWebSockets, port: 0 });
    servers.push(server);
    const upstream = `${server.url.replace('http://', 'ws://me:hush@')}/v1/realtime`;
    const { context, exit } = start(['--port', '0'], { KIKITORI_UPSTREAM: upstream });
    const port = await written(context, 'stderr', /Listening on 127\.0\.0\.1 port (\d+)/);
    expect((await fetch(`http://127.0.0.1:${port}/ping`)).status).toBe(200);
    const session = await connect({ url: `ws://127.0.0.1:${port}/invocations-bidirectional-stream` });
    await session.send(noise(4_000));
    expect((await session.finish()).text).toBe(TEXT);
    await session.close();
    context.interrupt();
    expect(await exit).toBe(0);
    expect(`${context.stdout.text}${context.stderr.text}`).not.toContain('hush');
    expect(context.stderr.text).toContain(`sessions go to ${upstream.replace('me:hush@', '')}.`);
  });

  it.each([
    [[], [200, `${TEXT}\n`]],
    [
      ['--invocations', '/v1/audio/transcriptions'],
      [200, `${TEXT}\n`],
    ],
    [
      ['--invocations', '/metrics'],
      [405, '{"detail":"Method Not Allowed"}'],
    ],
    [
      ['--invocations', 'off'],
      [404, expect.stringContaining('Only WebSockets')],
    ],
  ])('leads files where it is told to: %j', async (words, answer) => {
    const server = await startServer({ engine: scriptedEngine(), attach: attachWebSockets, port: 0 });
    servers.push(server);
    const upstream = `${server.url.replace('http', 'ws')}/v1/realtime`;
    const { context, exit } = start(['--port', '0', '--upstream', upstream, ...words]);
    const port = await written(context, 'stderr', /Listening on 127\.0\.0\.1 port (\d+)/);
    const response = await fetch(`http://127.0.0.1:${port}/invocations`, {
      method: 'POST',
      headers: { 'x-amzn-sagemaker-custom-attributes': 'response_format=text' },
      body: new Uint8Array(wav(4_000)),
    });
    expect([response.status, await response.text()]).toEqual(answer);
    context.interrupt();
    expect(await exit).toBe(0);
  });

  it.each([
    [['serve-it'], /--exec/],
    [['--exec'], /--exec -- COMMAND/],
    [['--invocations', 'somewhere'], /--invocations must be a path/],
    [['--upstream', 'http://127.0.0.1'], /ws:\/\//],
    [['--exec-arguments', 'other', '--exec', '--', 'true'], /vllm, none/],
  ])('answers %j with 2 and a sentence', async (words, sentence) => {
    const { context, exit } = start(words);
    expect(await exit).toBe(2);
    expect(context.stderr.text).toMatch(/^kikitori: [^\n]+[.…]\n$/);
    expect(context.stderr.text).toMatch(sentence);
  });

  it('ends with 1 when the model server behind -- cannot be started, whatever its own flags are', async () => {
    const { exit } = start([
      '--port',
      '0',
      '--exec',
      '--',
      '/no/such/model-server',
      '--port',
      '8081',
      '--odd',
    ]);
    expect(await exit).toBe(1);
  });
});
