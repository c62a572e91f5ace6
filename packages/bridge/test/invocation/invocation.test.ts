/** `POST /invocations`: SageMaker's plain InvokeEndpoint, passed on to the model server's own route for files. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { AUDIO, bodyOf, errorOf, invoke, line, open, partsOf, sendTo, TEXT, world } from './scene.js';

afterEach(() => world.close());

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
