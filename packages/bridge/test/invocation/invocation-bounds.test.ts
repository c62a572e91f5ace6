/** A file over HTTP at its bounds, and when somebody is gone. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../peers.js';
import { AUDIO, errorOf, invoke, line, open, sendTo, TEXT, world } from './scene.js';

afterEach(() => world.close());

describe('a bound', () => {
  it('of bytes ends a file, said to be too large or found to be: 413', async () => {
    const { http, taken } = await open({ limits: { invocationBytesMax: 1_000, refusalTimeoutMs: 20 } });
    expect((await invoke(http, Buffer.alloc(1_000))).status).toBe(200);
    // Nothing of it is waited for.
    const said = sendTo(http, { 'content-length': 1_001 });
    said.request.flushHeaders();
    const announced = await said.whole();
    expect([announced.status, errorOf(announced.body)]).toEqual([
      413,
      { message: expect.stringMatching(/above 25 MiB/), type: 'BadRequestError', param: null, code: 413 },
    ]);
    const { request, whole } = sendTo(http);
    request.write(Buffer.alloc(600));
    request.end(Buffer.alloc(600));
    expect((await whole()).status).toBe(413);
    expect(taken).toHaveLength(1);
  });

  it('of silence ends a file that stops arriving: 408', async () => {
    let isLeft = false;
    const { http } = await open({
      limits: { stallMs: 50, refusalTimeoutMs: 50 },
      onFile: (request) => {
        request.on('close', () => {
          isLeft = true;
        });
        request.resume();
      },
    });
    const { request, whole } = sendTo(http, { 'content-length': 1_000 });
    request.write(AUDIO);
    const { status, body } = await whole();
    expect([status, errorOf(body)['message']]).toEqual([408, expect.stringContaining('stopped arriving')]);
    await until(() => isLeft);
  });

  it('of patience ends one that the model server does not take, or does not answer: 504', async () => {
    const deaf = await open({ limits: { stallMs: 1_000, refusalTimeoutMs: 50 }, onFile: () => undefined });
    const { request, whole } = sendTo(deaf.http);
    const more = (): void => void (request.destroyed || request.write(Buffer.alloc(64_000), more));
    more();
    const { status, body } = await whole();
    expect([status, errorOf(body)['message']]).toEqual([504, expect.stringContaining('does not take')]);
    const silent = await open({ limits: { answerMsMax: 50 }, answer: () => undefined });
    expect(await invoke(silent.http, AUDIO)).toMatchObject({ status: 504 });
    const slow = await open({ limits: { invocationMsMax: 50 }, answer: () => undefined });
    expect(await invoke(slow.http, AUDIO)).toMatchObject({ status: 504 });
  });

  it('of what waits makes the sender wait', async () => {
    const paused: IncomingMessage[] = [];
    const { http } = await open({ onFile: (request) => void paused.push(request) });
    const { request } = sendTo(http);
    let sent = 0;
    const more = (): void => {
      sent += 1;
      if (sent < 400) request.write(Buffer.alloc(64 * 1024), more);
    };
    more();
    await until(() => paused.length === 1);
    let [before, unchanged] = [-1, 0];
    await until(() => {
      unchanged = sent === before ? unchanged + 1 : 0;
      before = sent;
      return unchanged === 50;
    });
    // What the sockets' own buffers hold, and far less than was to be sent.
    expect(sent).toBeLessThan(390);
    paused[0]?.resume();
    await until(() => sent === 400);
  });

  it('of an answer that nobody reads cuts it', async () => {
    const { http } = await open({
      limits: { stallMs: 500 },
      answer: (response) => {
        response.writeHead(200);
        const more = (): void => void (response.destroyed || response.write(Buffer.alloc(64_000), more));
        more();
      },
    });
    const { request, head } = sendTo(http);
    request.end(AUDIO);
    (await head).pause();
    expect(await line()).toMatchObject({ reason: 'client_stalled', status: 200 });
  });

  it('of sessions holds for both together: 503 for one more, and when to come back', async () => {
    const answers: ServerResponse[] = [];
    const { http, url, bridge } = await open({
      limits: { sessionsMax: 1 },
      answer: (response) => void answers.push(response),
    });
    const first = sendTo(http);
    first.request.end(AUDIO);
    await until(() => answers.length === 1);
    expect(bridge.invocationCount).toBe(1);
    const second = await invoke(http, AUDIO);
    expect([second.status, second.headers['retry-after'], errorOf(second.body)['type']]).toEqual([
      503,
      '5',
      'ServiceUnavailableError',
    ]);
    expect((await world.wsClient(url)).refusal?.status).toBe(503);
    answers[0]?.end('done');
    expect((await first.whole()).body).toBe('done');
    await until(() => bridge.invocationCount === 0);
  });
});

describe('when a peer is gone', () => {
  it('the client: the model server’s request is ended', async () => {
    const answers: ServerResponse[] = [];
    const { http } = await open({ answer: (response) => void answers.push(response) });
    const { request } = sendTo(http);
    request.end(AUDIO);
    await until(() => answers.length === 1);
    request.destroy();
    await until(() => answers[0]?.destroyed === true);
    expect(await line()).toMatchObject({ reason: 'client_lost', status: undefined });
  });

  it('the model server is not up, or loads: 503, and when to come back', async () => {
    const absent = await world.bridge({ upstream: 'ws://127.0.0.1:1/v1/realtime' });
    const { status, headers, body } = await invoke(absent.http, AUDIO);
    expect([status, headers['retry-after'], errorOf(body)['message']]).toEqual([
      503,
      '5',
      'The model server is not ready; try again later.',
    ]);
    const loading = await world.bridge({
      upstream: 'ws://127.0.0.1:1/v1/realtime',
      isModelLoading: () => true,
    });
    expect(errorOf((await invoke(loading.http, AUDIO)).body)['message']).toMatch(/still loading/);
    expect(await line()).toMatchObject({ reason: 'upstream_unavailable', status: 503 });
  });

  it('the model server hangs up: 502, or a cut in the middle of its answer', async () => {
    const rude = await open({ answer: (response) => void response.socket?.destroy() });
    const { status, body } = await invoke(rude.http, AUDIO);
    expect([status, errorOf(body)['type']]).toEqual([502, 'BadGatewayError']);
    const cut = await open({
      answer: (response) => {
        response.writeHead(200, { 'content-length': 100 }).write('half');
        response.socket?.end();
      },
    });
    await expect(invoke(cut.http, AUDIO)).rejects.toThrow(/aborted/);
  });
});

describe('when the bridge ends', () => {
  it('files on their way are answered, new ones are not taken, and /ping says so', async () => {
    const answers: ServerResponse[] = [];
    const { http, bridge } = await open({ answer: (response) => void answers.push(response) });
    const first = sendTo(http);
    first.request.end(AUDIO);
    await until(() => answers.length === 1);
    const drained = bridge.drain({ deadlineMs: 30_000 });
    expect((await invoke(http, AUDIO)).status).toBe(503);
    expect((await fetch(`${http}/ping`)).status).toBe(503);
    answers[0]?.end('done');
    expect((await first.whole()).body).toBe('done');
    await drained;
  });

  it('a file is ended at the deadline: 503', async () => {
    const answers: ServerResponse[] = [];
    const { http, bridge } = await open({
      limits: { closeTimeoutMs: 1_000 },
      answer: (response) => void answers.push(response),
    });
    const first = sendTo(http);
    first.request.end(AUDIO);
    await until(() => answers.length === 1);
    await bridge.drain({ deadlineMs: 1_000 });
    expect(await first.whole()).toMatchObject({ status: 503 });
    expect(await line()).toMatchObject({ reason: 'drained', status: 503 });
  });
});

it('counts files for CloudWatch, beside the sessions', async () => {
  const written: string[] = [];
  const { http } = await open({ writeMetrics: (text) => void written.push(text) });
  await invoke(http, AUDIO);
  await until(() => written.length === 1);
  expect(JSON.parse(written[0] ?? '')).toMatchObject({
    Reason: 'answered',
    Invocations: 1,
    InvocationsFailed: 0,
    InvocationsActive: 0,
    InvocationBytesFromClient: AUDIO.length,
    InvocationBytesToClient: TEXT.length,
  });
});
