/** `InvokeEndpoint` and `InvokeEndpointWithResponseStream`, by AWS's own client where it can say it. */
import type { ServerResponse } from 'node:http';
import {
  InvokeEndpointCommand,
  type InvokeEndpointCommandInput,
  InvokeEndpointWithResponseStreamCommand,
  type SageMakerRuntimeClient,
  type SageMakerRuntimeClientConfig,
} from '@aws-sdk/client-sagemaker-runtime';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { afterEach, describe, expect, it } from 'vitest';
import { LOCAL_CREDENTIALS } from '../../src/stand-in/index.js';
import { type Answerer, clientOf, closeAll, failed, open, sendBare } from './plain-world.js';

afterEach(closeAll);

const AUDIO = Buffer.from([0x52, 0x49, 0x46, 0x46, 0, 0xff]);

const invoke = (client: SageMakerRuntimeClient, input: Partial<InvokeEndpointCommandInput> = {}) =>
  client.send(new InvokeEndpointCommand({ EndpointName: 'demo', Body: AUDIO, ...input }));

const say: Answerer = (_request, response) => {
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-amzn-sagemaker-custom-attributes': 'said=1',
    'x-secret': 'no',
  });
  response.end('{"text":"said"}');
};

describe('InvokeEndpoint', () => {
  it('reaches the container’s /invocations with what SageMaker hands on, and gives back what it answers', async () => {
    const { client, asked, lines } = await open(say);
    const answer = await invoke(client, {
      ContentType: 'audio/wav',
      Accept: 'application/json',
      CustomAttributes: 'language=en&prompt=secret',
      InferenceId: 'one',
      TargetVariant: 'AllTraffic',
    });
    expect(Buffer.from(answer.Body).toString()).toBe('{"text":"said"}');
    expect(answer).toMatchObject({
      ContentType: 'application/json',
      CustomAttributes: 'said=1',
      InvokedProductionVariant: 'AllTraffic',
      $metadata: { httpStatusCode: 200, requestId: expect.stringMatching(/^[\da-f-]{36}$/) },
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ url: '/invocations', body: AUDIO });
    const { host: _host, connection: _connection, ...headers } = asked[0]?.headers ?? {};
    expect(headers).toEqual({
      'content-type': 'audio/wav',
      accept: 'application/json',
      'x-amzn-sagemaker-custom-attributes': 'language=en&prompt=secret',
      'x-amzn-sagemaker-inference-id': 'one',
      'content-length': `${AUDIO.length}`,
    });
    await expect
      .poll(() => lines.at(-1))
      .toMatchObject({
        message: 'invocation ended',
        endpoint: 'demo',
        variant: 'AllTraffic',
        containerStatus: 200,
        bodyBytes: AUDIO.length,
        answerBytes: 15,
      });
    expect(JSON.stringify(lines)).not.toMatch(/secret|AKID|said/);
  });

  it('works in plain text, over HTTP/2, with a body that is not signed, and many at once', async () => {
    const { runtime } = await open(say, { isPlaintext: true });
    const bodies = [
      invoke(clientOf(runtime)),
      invoke(clientOf(runtime, { requestHandler: new NodeHttp2Handler() })),
    ];
    const unsigned = clientOf(runtime);
    unsigned.middlewareStack.add(
      (next) => async (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
        return await next(args);
      },
      { step: 'build' },
    );
    bodies.push(invoke(unsigned));
    const many = clientOf(runtime);
    for (let i = 0; i < 20; i += 1) bodies.push(invoke(many));
    for (const { Body } of await Promise.all(bodies)) {
      expect(Buffer.from(Body).toString()).toBe('{"text":"said"}');
    }
    await expect.poll(() => runtime.streamCount).toBe(0);
  });

  it('takes bodies as large as SageMaker does, and answers too', async () => {
    const large = Buffer.alloc(25 * 1024 * 1024, 7);
    const { client } = await open((_request, response, body) => response.end(body));
    expect(Buffer.compare((await invoke(client, { Body: large })).Body, large)).toBe(0);
  });

  it('tells what the container says when it refuses: ModelError', async () => {
    const answers = [400, 503];
    const { client } = await open((_request, response) => {
      response.writeHead(answers.shift() ?? 500).end('{"error":"no"}');
    });
    expect(await failed(invoke(client))).toMatchObject({
      name: 'ModelError',
      message:
        'Received client error (400) from primary with message "{"error":"no"}". See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:group=/aws/sagemaker/Endpoints/demo in account 111122223333 for more information.',
      OriginalStatusCode: 400,
      OriginalMessage: '{"error":"no"}',
      LogStreamArn: 'arn:aws:logs:us-east-1:111122223333:log-group:/aws/sagemaker/Endpoints/demo',
      $metadata: { httpStatusCode: 424 },
    });
    expect(await failed(invoke(client))).toMatchObject({
      message: expect.stringContaining('Received server error (503) from primary'),
      OriginalStatusCode: 503,
    });
  });

  it('tells of a container that is late, cuts its answer, says too much or is not there: ModelError', async () => {
    const late = await open(() => undefined, { limits: { answerMsMax: 50 } });
    expect(await failed(invoke(late.client))).toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 0,
      OriginalMessage: expect.stringContaining('Your invocation timed out'),
    });
    const cut = await open((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      response.socket?.end();
    });
    expect(await failed(invoke(cut.client))).toMatchObject({
      name: 'ModelError',
      OriginalMessage: 'The container did not answer.',
    });
    cut.container.closeAllConnections();
    await new Promise((resolve) => cut.container.close(resolve));
    expect(await failed(invoke(cut.client))).toMatchObject({ name: 'ModelError', OriginalStatusCode: 0 });
    const much = await open((_request, response) => response.end(Buffer.alloc(100)), {
      limits: { bodyBytesMax: 99 },
    });
    expect(await failed(invoke(much.client))).toMatchObject({
      name: 'ModelError',
      message: expect.stringContaining('could not load the entire response body'),
      OriginalStatusCode: 200,
    });
  });

  it('is refused without the right signature, key, token or permission: 403', async () => {
    const limited = { accessKeyId: 'AKIDLIMITED', secretAccessKey: 's', endpointNames: ['mine'] };
    const { runtime, asked } = await open(say, { credentials: [LOCAL_CREDENTIALS, limited] });
    const refused = async (config: SageMakerRuntimeClientConfig): Promise<unknown[]> => {
      const { name, $metadata } = await failed(invoke(clientOf(runtime, config), { EndpointName: 'nobody' }));
      return [name, ($metadata as { httpStatusCode: number }).httpStatusCode];
    };
    const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
    expect(await refused({ credentials: { accessKeyId, secretAccessKey: 'guessed' } })).toEqual([
      'InvalidSignatureException',
      403,
    ]);
    expect(await refused({ credentials: { accessKeyId: 'AKIDOTHER', secretAccessKey } })).toEqual([
      'UnrecognizedClientException',
      403,
    ]);
    expect(await refused({ credentials: { ...LOCAL_CREDENTIALS, sessionToken: 't' } })).toEqual([
      'UnrecognizedClientException',
      403,
    ]);
    expect(await refused({ region: 'eu-west-1' })).toEqual(['InvalidSignatureException', 403]);
    const denied = await failed(invoke(clientOf(runtime, { credentials: limited })));
    expect(denied).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('sagemaker:InvokeEndpoint on resource'),
    });
    expect(asked).toEqual([]);
  });

  it('is refused when its body is not the one that was signed', async () => {
    const { client, asked } = await open(say);
    client.middlewareStack.add(
      (next) => async (args) => {
        Object.assign(args.request as object, { body: Buffer.from('RIFF!!') });
        return await next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    expect(await failed(invoke(client))).toMatchObject({ name: 'InvalidSignatureException' });
    expect(asked).toEqual([]);
  });

  it('is refused for an endpoint, a variant or a header that cannot be: ValidationError', async () => {
    const { client } = await open(say);
    const wrong = async (input: Partial<InvokeEndpointCommandInput>): Promise<unknown> =>
      (await failed(invoke(client, input)))['message'];
    expect(await failed(invoke(client, { EndpointName: 'nobody' }))).toMatchObject({
      name: 'ValidationError',
      message: 'Endpoint nobody of account 111122223333 not found.',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await wrong({ TargetVariant: 'Other' })).toMatch(/no such variant/);
    expect(await wrong({ CustomAttributes: 'a'.repeat(1025) })).toMatch(/'customAttributes'.*1024/);
  });

  it('above the endpoint’s or the stand-in’s places: 429, 503', async () => {
    const answers: ServerResponse[] = [];
    const hold: Answerer = (_request, response) => void answers.push(response);
    const { client } = await open(hold, { limits: { streamsPerEndpointMax: 1 } });
    const first = invoke(client);
    await expect.poll(() => answers.length).toBe(1);
    expect(await failed(invoke(client))).toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });
    answers[0]?.end('done');
    expect(Buffer.from((await first).Body).toString()).toBe('done');
    // A body and its answer at a time, one after the other.
    const enough = await open(say, { limits: { bodiesBytesMax: AUDIO.length + 15 } });
    for (let i = 0; i < 3; i += 1) await invoke(enough.client);
    const small = await open(say, { limits: { bodiesBytesMax: 4 } });
    expect(await failed(invoke(small.client))).toMatchObject({
      name: 'ServiceUnavailable',
      $metadata: { httpStatusCode: 503 },
    });
  });

  it('that is too long, said to be or found to be: 413', async () => {
    const { client, runtime } = await open(say, { isPlaintext: true, limits: { bodyBytesMax: 100 } });
    expect(await failed(invoke(client, { Body: Buffer.alloc(101) }))).toMatchObject({
      message: 'HTTP content length exceeded 100 bytes.',
      $metadata: { httpStatusCode: 413 },
    });
    const { request, answer } = sendBare(runtime, { 'transfer-encoding': 'chunked' });
    request.write(Buffer.alloc(101));
    expect(await answer).toMatchObject({ status: 413, type: undefined });
  });

  it('that stops arriving: 408', async () => {
    const { runtime } = await open(say, { isPlaintext: true, limits: { bodyStallMs: 50 } });
    const { request, answer } = sendBare(runtime, { 'content-length': '100' });
    request.write('some');
    expect(await answer).toMatchObject({ status: 408, type: 'RequestTimeoutException' });
  });

  it('whose client leaves is ended at the container', async () => {
    const answers: ServerResponse[] = [];
    const { client, runtime } = await open((_request, response) => void answers.push(response));
    const leaving = new AbortController();
    const call = client.send(new InvokeEndpointCommand({ EndpointName: 'demo', Body: AUDIO }), {
      abortSignal: leaving.signal,
    });
    call.catch(() => undefined);
    await expect.poll(() => answers.length).toBe(1);
    leaving.abort();
    await expect.poll(() => answers[0]?.destroyed).toBe(true);
    await expect.poll(() => runtime.streamCount).toBe(0);
    expect(runtime.endpoints).toMatchObject([{ streamCount: 0 }]);
  });

  it('is answered while the stand-in closes, and ended at its deadline', async () => {
    const answers: ServerResponse[] = [];
    const { client, runtime } = await open((_request, response) => void answers.push(response));
    const calls = Promise.allSettled([invoke(client), invoke(clientOf(runtime))]);
    await expect.poll(() => answers.length).toBe(2);
    const closed = runtime.close({ deadlineMs: 1_500 });
    expect(await failed(invoke(client))).not.toMatchObject({ name: 'ModelError' });
    answers[0]?.end('done');
    const ends = (await calls).map((end) =>
      end.status === 'fulfilled' ? Buffer.from(end.value.Body).toString() : end.reason.name,
    );
    expect(ends.sort()).toEqual(['ServiceUnavailable', 'done']);
    await closed;
  });

  it('is no other operation, and no stream over HTTP/1.1: 404', async () => {
    const { runtime } = await open(say, { isPlaintext: true });
    for (const path of [
      '/endpoints/demo/invocations-bidirectional-stream',
      '/endpoints/demo/async-invocations',
      '/',
    ]) {
      const answer = await fetch(`${runtime.url}${path}`, { method: 'POST', body: 'x' });
      expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([
        404,
        'UnknownOperationException',
      ]);
    }
    expect((await fetch(`${runtime.url}/endpoints/demo/invocations`, { method: 'POST' })).status).toBe(403);
  });
});

describe('InvokeEndpointWithResponseStream', () => {
  const stream = (client: SageMakerRuntimeClient) =>
    client.send(
      new InvokeEndpointWithResponseStreamCommand({
        EndpointName: 'demo',
        Body: AUDIO,
        Accept: 'text/event-stream',
        CustomAttributes: 'stream=true',
      }),
    );

  it('gives the answer while it is made', async () => {
    let more: ServerResponse | undefined;
    const { client, asked } = await open((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('one');
      more = response;
    });
    const { Body = [], ContentType, InvokedProductionVariant } = await stream(client);
    expect([ContentType, InvokedProductionVariant]).toEqual(['text/event-stream', 'AllTraffic']);
    expect(asked[0]?.headers).toMatchObject({
      accept: 'text/event-stream',
      'x-amzn-sagemaker-custom-attributes': 'stream=true',
    });
    const texts: string[] = [];
    for await (const { PayloadPart } of Body) {
      texts.push(Buffer.from(PayloadPart?.Bytes ?? []).toString());
      if (texts.length === 1) more?.end('two');
    }
    expect(texts).toEqual(['one', 'two']);
  });

  it('ends with ModelStreamError when the container cuts its answer or is late, and is refused in front of it', async () => {
    const ended = async (answerer: Answerer, streamedAnswerMsMax: number): Promise<unknown> => {
      const { client } = await open(answerer, { limits: { streamedAnswerMsMax } });
      const { Body = [] } = await stream(client);
      const failure = async (): Promise<void> => {
        for await (const _part of Body);
      };
      return await failed(failure());
    };
    const begin = (response: ServerResponse): void => void response.writeHead(200).write('one');
    const cut: Answerer = (_request, response) => {
      begin(response);
      response.socket?.end();
    };
    expect(await ended(cut, 60_000)).toMatchObject({ name: 'ModelStreamError', ErrorCode: 'StreamBroken' });
    const late: Answerer = (_request, response) => begin(response);
    expect(await ended(late, 1_000)).toMatchObject({ ErrorCode: 'ModelInvocationTimeExceeded' });
    const { client } = await open((_request, response) => response.writeHead(404).end('nothing'));
    expect(await failed(stream(client))).toMatchObject({ name: 'ModelError', OriginalMessage: 'nothing' });
  });
});
