import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '@kikitori/core/manual-clock';
import { type Connect, createMemoryPair, TransportError } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { besideRealtime } from '../../src/watch/address.js';
import { UpstreamWatch } from '../../src/watch/upstream-watch.js';

/** A model server of which a test decides what it answers over HTTP. */
class Behind implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly keys: (string | undefined)[] = [];
  /** Answers by path; a number is a status without a body. */
  readonly answers: Record<string, number | string> = {
    '/v1/models': '{"data":[{"id":"voxtral","max_model_len":45000}]}',
    '/health': 200,
    '/metrics': 'kikitori_sessions_max 9\n',
  };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response) => {
      const path = request.url ?? '';
      this.asked.push(path);
      this.keys.push(request.headers.authorization);
      const answer = this.answers[path] ?? 404;
      response.writeHead(typeof answer === 'number' ? answer : 200).end(typeof answer === 'string' ? answer : '');
    });
  }

  static async open(): Promise<Behind> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Behind(server);
  }

  get url(): string {
    // A TCP server that listens has an address object.
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Greets, and leaves the rest to its client. */
const greeting: Connect = async () => {
  const { near, far } = createMemoryPair();
  await far.send('{"type":"session.created","id":"sess-1","created":1}');
  return near;
};

function refusing(httpStatus: number): Connect {
  return () => Promise.reject(new TransportError('refused', 'No.', { httpStatus }));
}

const never = new AbortController().signal;

/** Lets time pass, in steps that are small beside every wait, until it is so. */
async function pass(clock: ManualClock, isSo: () => boolean, stepMs = 250): Promise<void> {
  while (!isSo()) {
    clock.advance(stepMs);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the watch over a model server', () => {
  it('waits until it serves a model, with pauses that grow, and says at every moment what is missing', async () => {
    await using behind = await Behind.open();
    behind.answers['/v1/models'] = 503;
    const clock = new ManualClock();
    const told: (string | undefined)[] = [];
    const onChange = (missing: string | undefined): void => void told.push(missing);
    const watch = new UpstreamWatch({ url: behind.url, connect: greeting, label: 'x', clock, onChange });
    expect(watch.missing).toContain('not there yet');
    const found = watch.found(never);
    await pass(clock, () => behind.asked.length >= 8);
    expect(watch.missing).toContain('still loading');
    // 0.25, 0.5, 1, 2, 4, 5, 5 s: seven pauses.
    expect(clock.nowMs()).toBeGreaterThanOrEqual(17_750);
    behind.answers['/v1/models'] = '{"data":[{"id":"voxtral","max_model_len":45000}]}';
    await pass(clock, () => watch.missing === undefined);
    expect(await found).toEqual({ id: 'voxtral', languages: [], maxModelLen: 45_000 });
    expect(watch.maxModelLen).toBe(45_000);
    expect(told).toEqual([expect.stringContaining('still loading'), undefined]);
    await watch.close();
    expect(clock.pending).toBe(0);
  });

  it('counts it as away when it is not well twice in a row, and as back at once', async () => {
    await using behind = await Behind.open();
    const clock = new ManualClock();
    const watch = new UpstreamWatch({ url: behind.url, connect: greeting, label: 'x', clock });
    await watch.found(never);
    const healthAsked = (): number => behind.asked.filter((path) => path === '/health').length;
    behind.answers['/health'] = 503;
    await pass(clock, () => healthAsked() === 1);
    expect(watch.missing).toBeUndefined();
    await pass(clock, () => watch.missing !== undefined);
    expect(watch.missing).toContain('away');
    behind.answers['/health'] = 404;
    await pass(clock, () => watch.missing === undefined);
    await watch.close();
    expect(clock.pending).toBe(0);
  });

  it.each([
    [401, undefined, greeting, 'key_missing'],
    [401, 'sesame', greeting, 'key_wrong'],
    [404, undefined, greeting, 'no_models'],
    [undefined, undefined, refusing(401), 'key_missing'],
    [undefined, 'sesame', refusing(401), 'key_wrong'],
    [undefined, 'sesame', refusing(500), 'keys_broken'],
    [undefined, undefined, refusing(403), 'no_realtime'],
  ] as const)('gives up what waiting does not mend: %s %s', async (status, apiKey, connect, code) => {
    await using behind = await Behind.open();
    if (status !== undefined) behind.answers['/v1/models'] = status;
    const key = apiKey === undefined ? {} : { apiKey };
    const watch = new UpstreamWatch({ url: behind.url, connect, label: 'x', clock: new ManualClock(), ...key });
    await expect(watch.found(never)).rejects.toMatchObject({ name: 'UpstreamError', code });
    await watch.close();
  });

  it('takes a server for one that is there although every place of it is taken', async () => {
    await using behind = await Behind.open();
    const clock = new ManualClock();
    const watch = new UpstreamWatch({ url: behind.url, connect: refusing(503), label: 'x', clock });
    expect(await watch.found(never)).toMatchObject({ id: 'voxtral' });
    await watch.close();
  });

  it('asks for places with the key, and for no models where one was named', async () => {
    await using behind = await Behind.open();
    const options = { url: `${behind.url}/v1/realtime`, connect: greeting, label: 'x', model: 'named' };
    const watch = new UpstreamWatch({ ...options, apiKey: 'sesame', clock: new ManualClock() });
    expect(await watch.found(never)).toEqual({ id: 'named', languages: [], maxModelLen: undefined });
    const bounds = { maxModelLen: undefined, utteranceMsMax: 120_000 };
    expect((await watch.places(bounds))?.places).toBe(9);
    behind.answers['/metrics'] = 401;
    expect(await watch.places(bounds)).toBeUndefined();
    expect(behind.asked).toEqual(['/metrics', '/metrics']);
    expect(behind.keys[0]).toBe('Bearer sesame');
    await watch.close();
  });

  it('ends with the signal', async () => {
    await using behind = await Behind.open();
    behind.answers['/v1/models'] = 503;
    const leaving = new AbortController();
    const clock = new ManualClock();
    const watch = new UpstreamWatch({ url: behind.url, connect: greeting, label: 'x', clock });
    const found = watch.found(leaving.signal);
    leaving.abort(new Error('changed my mind'));
    await expect(found).rejects.toThrow('changed my mind');
    await watch.close();
  });
});

describe('another route of the same server', () => {
  it.each([
    ['ws://host:8000', 'http://host:8000/health'],
    ['https://host/stt/', 'https://host/stt/health'],
    ['wss://me:secret@host/a/v1/realtime?x=1', 'https://host/a/health'],
  ])('of %s is %s', (url, expected) => {
    expect(besideRealtime(url, 'health', undefined).url.href).toBe(expected);
  });

  it('is asked with the key, else with the name and the password of the address', () => {
    const headersOf = (apiKey?: string) => besideRealtime('ws://me:secret@host', 'health', apiKey).headers;
    expect(headersOf('k')).toEqual({ authorization: 'Bearer k' });
    expect(headersOf()).toEqual({ authorization: 'Basic bWU6c2VjcmV0' });
    expect(besideRealtime('ws://host', 'health', undefined).headers).toEqual({});
  });
});
