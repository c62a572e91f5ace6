/** `POST /invocations`: SageMaker's plain InvokeEndpoint, passed on to the model server's own route for files. */
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { BridgeOptions } from '../../src/bridge.js';
import { listening, until, World } from '../peers.js';

const world = new World();
afterEach(() => world.close());

/** A file as the model server got it. */
interface Taken {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

const TEXT = '{"text":"said"}';
const MODELS = JSON.stringify({ object: 'list', data: [{ id: 'toy' }, { id: 'other' }] });

/** A model server that reads each file whole and then answers so; its list of models has one. */
async function open(
  options: Partial<BridgeOptions> & {
    readonly answer?: (response: ServerResponse, taken: Taken) => void;
    readonly onFile?: Answerer;
    readonly models?: Answerer;
    readonly below?: string;
  } = {},
) {
  const { answer, onFile, models, below = '', ...others } = options;
  const taken: Taken[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.method === 'GET' && models !== undefined) models(request, response);
    else if (request.method === 'GET') response.writeHead(200).end(MODELS);
    else if (onFile !== undefined) onFile(request, response);
    else {
      void bodyOf(request).then((body) => {
        const one = { url: request.url ?? '', headers: request.headers, body };
        taken.push(one);
        if (answer === undefined)
          response.writeHead(200, { 'Content-Type': 'application/json', 'X-Secret': 'no' }).end(TEXT);
        else answer(response, one);
      });
    }
  });
  const upstream = `${await listening(server)}${below}/v1/realtime`;
  world.add(() => void [server.closeAllConnections(), server.close()]);
  const made = await world.bridge({ upstream, ...others });
  return { taken, asked, server, ...made };
}

async function bodyOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // A stream of a socket gives buffers.
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A file that is sent by hand; `whole` is its answer. */
function sendTo(http: string, headers: OutgoingHttpHeaders = {}, path = '/invocations', method = 'POST') {
  const request: ClientRequest = httpRequest(`${http}${path}`, { method, agent: false, headers });
  request.on('error', () => undefined);
  world.add(() => void request.destroy());
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('close', () => reject(new Error('there was no answer')));
  });
  head.catch(() => undefined);
  const whole = async () => {
    const response = await head;
    const { statusCode: status, headers: told } = response;
    return { status, headers: told, body: (await bodyOf(response)).toString() };
  };
  return { request, head, whole };
}

/** Sends a file whole. */
async function invoke(http: string, body: Uint8Array, headers: OutgoingHttpHeaders = {}, path?: string) {
  const { request, whole } = sendTo(http, { 'content-length': body.length, ...headers }, path);
  request.end(body);
  return await whole();
}

/** The parts of a form in the words of a reader of another make. */
async function partsOf({ headers, body }: Taken): Promise<[string, string | File][]> {
  const type = headers['content-type'] ?? '';
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  return [...form].map(([name, value]) => [name, typeof value === 'string' ? value : (value as File)]);
}

/** The object of an error. */
function errorOf(body: string): Record<string, unknown> {
  return JSON.parse(body).error;
}

async function line() {
  await until(() => world.lines.some(({ message }) => message === 'invocation ended'));
  return world.lines.find(({ message }) => message === 'invocation ended')?.fields ?? {};
}

const AUDIO = Buffer.from([0x52, 0x49, 0x46, 0x46, 0, 0xff, 13, 10, 45, 45]);

describe('a file as the whole body', () => {
  it('arrives as a form at the model server’s route, with the name of its model', async () => {
    const { http, taken, asked } = await open();
    const answer = await invoke(http, AUDIO, { 'content-type': 'audio/wav' });
    expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([
      200,
      'application/json',
      TEXT,
    ]);
    expect(answer.headers).not.toHaveProperty('x-secret');
    expect(asked).toEqual(['GET /v1/models', 'POST /v1/audio/transcriptions']);
    const [one] = taken;
    if (one === undefined) throw new Error('nothing came');
    const [model, file] = await partsOf(one);
    expect(model).toEqual(['model', 'toy']);
    expect(file?.[0]).toBe('file');
    expect(file?.[1]).toMatchObject({ name: 'audio', type: 'audio/wav' });
    const bytes = file?.[1] instanceof File ? await file[1].arrayBuffer() : new ArrayBuffer(0);
    expect(Buffer.from(bytes)).toEqual(AUDIO);
    expect(Number(one.headers['content-length'])).toBe(one.body.length);
  });

  it('has its fields in the query and in SageMaker’s custom attributes, and none of them in a log', async () => {
    const { http, taken, asked } = await open();
    const headers = {
      'x-amzn-sagemaker-custom-attributes':
        'language=de&response_format=text&route=/v1/x&file=no&a"%0Ab=secret',
    };
    await invoke(http, AUDIO, headers, '/invocations?model=mine&prompt=a%20secret%0D%0Aname');
    const [one] = taken;
    if (one === undefined) throw new Error('nothing came');
    const fields = (await partsOf(one)).filter(([, value]) => typeof value === 'string');
    expect(fields).toEqual([
      ['model', 'mine'],
      ['prompt', 'a secret\r\nname'],
      ['language', 'de'],
      ['response_format', 'text'],
      ['a"\nb', 'secret'],
    ]);
    expect(one.headers).not.toHaveProperty('x-amzn-sagemaker-custom-attributes');
    // Who names a model is not asked for one.
    expect(asked).toEqual(['POST /v1/audio/transcriptions']);
    expect(await line()).toMatchObject({ reason: 'answered', status: 200, client_bytes: AUDIO.length });
    expect(JSON.stringify(world.lines)).not.toMatch(/secret|said/);
  });

  it('needs neither its length nor its type, nor the name of a model', async () => {
    const { http, taken } = await open({ models: (_request, response) => response.writeHead(404).end() });
    const { request, whole } = sendTo(http, { 'content-type': 'audio/wav\u00e9' });
    for (const byte of AUDIO) request.write(Buffer.from([byte]));
    request.end();
    expect((await whole()).status).toBe(200);
    const [one] = taken;
    if (one === undefined) throw new Error('nothing came');
    expect((await partsOf(one)).map(([name]) => name)).toEqual(['file']);
    expect((await partsOf(one))[0]?.[1]).toMatchObject({ type: 'application/octet-stream' });
  });

  it('asks for the model’s name once in a while, not for each file', async () => {
    const { http, asked } = await open();
    await invoke(http, AUDIO);
    await invoke(http, AUDIO);
    const questions = (): number => asked.filter((one) => one === 'GET /v1/models').length;
    expect(questions()).toBe(1);
    const other = await open({ limits: { modelNameHoldsMs: 0 } });
    await invoke(other.http, AUDIO);
    await invoke(other.http, AUDIO);
    expect(other.asked.filter((one) => one === 'GET /v1/models')).toHaveLength(2);
  });
});

describe('a form', () => {
  it('is passed on as it is, byte for byte', async () => {
    const { http, taken, asked } = await open();
    const type = 'multipart/form-data; boundary=xyz';
    const body = Buffer.from(
      '--xyz\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--xyz--\r\n',
    );
    expect((await invoke(http, body, { 'content-type': type }, '/invocations?model=not')).status).toBe(200);
    expect(taken[0]?.body).toEqual(body);
    expect(taken[0]?.headers).toMatchObject({ 'content-type': type, 'content-length': `${body.length}` });
    expect(asked).toEqual(['POST /v1/audio/transcriptions']);
  });
});

describe('the way there', () => {
  it('leads beside the path of the upstream, where the operator says, or nowhere', async () => {
    const below = await open({ below: '/stt' });
    await invoke(below.http, AUDIO);
    expect(below.taken[0]?.url).toBe('/stt/v1/audio/transcriptions');
    const elsewhere = await open({ below: '/stt', invocations: '/v1/listen' });
    await invoke(elsewhere.http, AUDIO);
    expect(elsewhere.taken[0]?.url).toBe('/v1/listen');
    const off = await open({ invocations: false });
    expect((await invoke(off.http, AUDIO)).status).toBe(404);
    expect(off.asked).toEqual([]);
  });

  it('shows the model server the caller’s key and its traces, and no other header', async () => {
    const { http, taken } = await open();
    const headers = {
      authorization: 'Bearer k',
      cookie: 'a=b',
      'x-amzn-trace-id': 't',
      te: 'trailers',
      accept: 'text/plain',
    };
    await invoke(http, AUDIO, headers);
    expect(taken[0]?.headers).toMatchObject({
      authorization: 'Bearer k',
      'x-amzn-trace-id': 't',
      accept: 'text/plain',
    });
    for (const name of ['cookie', 'te', 'x-forwarded-for'])
      expect(taken[0]?.headers).not.toHaveProperty(name);
  });

  it('is for no page of another site, and for nothing but POST', async () => {
    const { http, asked } = await open();
    const foreign = await invoke(http, AUDIO, { origin: 'https://attacker.test' });
    expect([foreign.status, errorOf(foreign.body)['message']]).toEqual([
      403,
      expect.stringContaining('--allow-origin'),
    ]);
    const { request, whole } = sendTo(http, {}, '/invocations', 'GET');
    request.end();
    const { status, headers } = await whole();
    expect([status, headers.allow]).toEqual([405, 'POST']);
    expect(asked).toEqual([]);
  });
});

describe('the answer', () => {
  it('comes while it is made, and with the headers that callers read', async () => {
    let more: ServerResponse | undefined;
    const { http } = await open({
      answer: (response) => {
        response.writeHead(200, {
          'Content-Type': 'text/event-stream',
          'X-Kikitori-Remarks': 'r',
          'X-Amzn-SageMaker-Custom-Attributes': 'c',
          'Set-Cookie': 'a=b',
        });
        response.flushHeaders();
        more = response;
      },
    });
    const { request, head } = sendTo(http);
    request.end(AUDIO);
    const response = await head;
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'x-kikitori-remarks': 'r',
      'x-amzn-sagemaker-custom-attributes': 'c',
    });
    expect(response.headers).not.toHaveProperty('set-cookie');
    more?.write('data: one\n\n');
    const first = await new Promise<Buffer>((resolve) => response.once('data', resolve));
    expect(first.toString()).toBe('data: one\n\n');
    more?.end('data: two\n\n');
    expect((await bodyOf(response)).toString()).toBe('data: two\n\n');
  });

  it('may begin while the file still comes', async () => {
    const { http } = await open({
      onFile: (request, response) => {
        request.once('data', () => response.writeHead(200).write('first'));
        request.on('end', () => response.end(' last')).resume();
      },
    });
    const { request, head } = sendTo(http);
    request.write(AUDIO);
    const response = await head;
    request.end(Buffer.alloc(200));
    expect((await bodyOf(response)).toString()).toBe('first last');
  });

  it('is passed on when it is an error, also in front of the file’s end', async () => {
    const { http } = await open({
      onFile: (request, response) => {
        request.resume();
        response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":{"message":"no"}}');
      },
    });
    const { request, whole } = sendTo(http, {});
    for (let i = 0; i < 100; i += 1) request.write(Buffer.alloc(100_000));
    request.end();
    expect(await whole()).toMatchObject({ status: 400, body: '{"error":{"message":"no"}}' });
    expect(await line()).toMatchObject({ reason: 'upstream_refused', status: 400 });
  });
});

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
