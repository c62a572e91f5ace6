import { createServer, type Server } from 'node:http';
import {
  attachMemory,
  type Connect,
  type Connection,
  createMemoryHost,
  createMemoryPair,
} from '@kikitori/transport';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect, firstModel, servedModels } from '../src/index.js';
import { fakeServer, frames, serve, textOf, type Visit } from './fake-server.js';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0)) await close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on TCP.');
  return `http://127.0.0.1:${address.port}`;
}

/** Answers with the far end of a connection on which nobody says anything. */
function silentPeer(): { connect: Connect; far: Promise<Connection> } {
  let give: (far: Connection) => void = () => undefined;
  const far = new Promise<Connection>((resolve) => {
    give = resolve;
  });
  const connectSilently: Connect = async () => {
    const pair = createMemoryPair();
    give(pair.far);
    return pair.near;
  };
  return { connect: connectSilently, far };
}

async function endOf(connection: Connection): Promise<unknown> {
  try {
    for await (const _ of connection.messages);
    return 'clean';
  } catch (error) {
    return error;
  }
}

describe('connect', () => {
  it('works over a real WebSocket, with a key, a path and another sample rate', async () => {
    const visits: Visit[] = [];
    const server = createServer();
    attachWebSockets(server, {
      admit: ({ headers: { authorization } }) =>
        authorization === 'Bearer k' ? { accept: true } : { accept: false, status: 401 },
      onConnection: (connection, handshake) => void visits.push(serve(connection, handshake, {})),
    });
    const url = await listen(server);
    const session = await connect({ url, apiKey: 'k', sampleRateHz: 48_000 });
    await session.send(new Float32Array(48_000).fill(0.5));
    const transcript = await session.finish();
    expect(visits[0]?.handshake.path).toBe('/v1/realtime');
    expect(visits[0]?.receivedSamples).toBe(16_000);
    expect(transcript.utterances[0]).toMatchObject({ startMs: 0, endMs: 1000 });
    expect(await visits[0]?.ended).toBeUndefined();
    await expect(connect({ url, apiKey: 'wrong' })).rejects.toMatchObject({
      code: 'refused',
      httpStatus: 401,
      retryable: false,
    });
  });

  it('asks for a token for each connection, and carries it as a browser can', async () => {
    const visits: Visit[] = [];
    const server = createServer();
    attachWebSockets(server, {
      admit: ({ protocols }) =>
        protocols.includes(`openai-insecure-api-key.ek_${visits.length}`)
          ? { accept: true, protocol: 'realtime' }
          : { accept: false, status: 401 },
      onConnection: (connection, handshake) => void visits.push(serve(connection, handshake, {})),
    });
    const url = await listen(server);
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      return `ek_${asked - 1}`;
    };
    const session = await connect({ url, token });
    await session.send(frames(0, 5));
    visits[0]?.connection.destroy();
    await session.send(frames(5, 5));
    expect((await session.finish()).text).toBe(textOf(0, 10).trim());
    expect(asked).toBe(2);

    await expect(connect({ url, token: async () => 'ek_0' })).rejects.toMatchObject({
      code: 'refused',
      httpStatus: 401,
    });
    const noToken = { url, token: () => Promise.reject(new Error('no network')) };
    await expect(connect(noToken)).rejects.toMatchObject({ code: 'connect_failed', retryable: true });
  });

  it('carries a long recording over a real WebSocket whole and in order', async () => {
    const server = createServer();
    attachWebSockets(server, {
      admit: () => ({ accept: true }),
      onConnection: (connection, handshake) => void serve(connection, handshake, {}),
    });
    const session = await connect({ url: await listen(server) });
    await session.send(frames(0, 500));
    expect((await session.finish()).text).toBe(textOf(0, 500).trim());
  });

  it('says that nobody answers, and that another try may help', async () => {
    const server = createServer();
    const url = await listen(server);
    await closers.pop()?.();
    await expect(connect({ url })).rejects.toMatchObject({ code: 'connect_failed', retryable: true });
  });

  it('needs an address or a way to connect, and a sample rate that exists', async () => {
    await expect(connect({})).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(connect({ url: 'no url' })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(connect({ url: 'ftp://x/' })).rejects.toMatchObject({ code: 'invalid_argument' });
    const server = fakeServer();
    await expect(connect({ connect: server.connect, sampleRateHz: 3 })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(await (await server.visit()).ended).toMatchObject({ code: 'connection_lost' });
  });

  it('passes a refusal of any transport on', async () => {
    const host = createMemoryHost();
    attachMemory(host, { admit: () => ({ accept: false, status: 503 }), onConnection: () => undefined });
    await expect(connect({ connect: host.connect })).rejects.toMatchObject({
      code: 'refused',
      httpStatus: 503,
      retryable: true,
    });
  });

  it('fails with the error that a server gives instead of a greeting', async () => {
    const { connect: open, far } = silentPeer();
    const connecting = connect({ connect: open });
    const peer = await far;
    // AWS's sample bridge, when vLLM refused it.
    await peer.send('{"type":"error","error":"vLLM connection failed: 500"}');
    await expect(connecting).rejects.toMatchObject({
      code: 'server_error',
      serverCode: null,
      serverText: 'vLLM connection failed: 500',
      retryable: true,
    });
    expect(await endOf(peer)).toMatchObject({ code: 'connection_lost' });
  });

  it('fails when something else answers than a Realtime server', async () => {
    for (const message of ['hello', '{"type":"transcription.delta","delta":""}', '{"type":"welcome"}']) {
      const { connect: open, far } = silentPeer();
      const connecting = connect({ connect: open });
      await (await far).send(message);
      await expect(connecting).rejects.toMatchObject({ code: 'protocol_error' });
    }
  });

  it('fails when the server closes before it greets', async () => {
    const { connect: open, far } = silentPeer();
    const connecting = connect({ connect: open });
    await (await far).close(1013);
    await expect(connecting).rejects.toMatchObject({ code: 'closed', closeCode: 1013, retryable: true });
  });

  it('gives up on a server that accepts and never greets, and leaves nothing open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { connect: open, far } = silentPeer();
    const failure = expect(connect({ connect: open })).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(10_000);
    await failure;
    expect(await endOf(await far)).toMatchObject({ code: 'connection_lost' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives up on a transport that never answers, and destroys a connection that comes too late', async () => {
    const pair = createMemoryPair();
    let answer: (connection: Connection) => void = () => undefined;
    const controller = new AbortController();
    const connecting = connect(
      {
        connect: () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
      },
      { signal: controller.signal },
    );
    // Not before the transport was asked.
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('bored'));
    await expect(connecting).rejects.toMatchObject({ code: 'aborted', cause: new Error('bored') });
    answer(pair.near);
    expect(await endOf(pair.far)).toMatchObject({ code: 'connection_lost' });
  });

  it('does not begin when its signal has already fired', async () => {
    const open = vi.fn<Connect>();
    await expect(connect({ connect: open }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(open).not.toHaveBeenCalled();
  });
});

describe('firstModel', () => {
  async function modelServer(status: number, body: string): Promise<string> {
    return await listen(
      createServer((request, response) => {
        const { authorization } = request.headers;
        const isRight = request.url === '/v1/models' && authorization === 'Bearer k';
        response.writeHead(isRight ? status : 404).end(body);
      }),
    );
  }

  it("answers the first model's name, from any address of the server", async () => {
    const url = await modelServer(200, '{"object":"list","data":[{"id":"one"},{"id":"two"}]}');
    expect(await firstModel(url, { apiKey: 'k' })).toBe('one');
    expect(await firstModel(`${url.replace('http', 'ws')}/v1/realtime?x=1`, { apiKey: 'k' })).toBe('one');
  });

  it('tells of every model which languages it hears, where the server says so', async () => {
    const cards = '{"id":"one","languages":["en",7]},{"id":"two","languages":"en"},{"id":3},{"id":"four"}';
    const url = await modelServer(200, `{"data":[${cards}]}`);
    expect(await servedModels(url, { apiKey: 'k' })).toEqual([
      { id: 'one', languages: ['en'] },
      { id: 'two', languages: [] },
      { id: 'four', languages: [] },
    ]);
  });

  it('rejects with what went wrong', async () => {
    await expect(firstModel(await modelServer(401, 'no'), { apiKey: 'k' })).rejects.toMatchObject({
      code: 'refused',
      httpStatus: 401,
    });
    for (const body of ['no json', '{}', '{"data":[]}', '{"data":[{"id":5}]}']) {
      await expect(firstModel(await modelServer(200, body), { apiKey: 'k' })).rejects.toMatchObject({
        code: 'protocol_error',
      });
    }
    await expect(firstModel('http://x/', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    await expect(firstModel('nonsense')).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('gives up on a server that accepts and never answers', async () => {
    const url = await listen(createServer(() => undefined));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const failure = expect(firstModel(url)).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(10_000);
    await failure;
  });
});
