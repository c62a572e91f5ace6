import { afterEach, describe, expect, it } from 'vitest';
import { LOCAL_CREDENTIALS } from '../../src/stand-in/index.js';
import { FrameContainer } from './frame-container.js';
import type { RequestChanges } from './signed-client.js';
import { startWorld, type World } from './world.js';

let world: World;
afterEach(() => world.dispose());

/** Status, name and members of a refusal. */
async function refused(changes: RequestChanges = {}): Promise<unknown> {
  const client = world.dial(changes);
  const response = await client.response;
  expect(response['content-type']).toBe('application/json');
  expect(response['x-amzn-requestid']).toMatch(/^[\da-f-]{36}$/);
  const body = JSON.parse(await client.text);
  return [response[':status'], response['x-amzn-errortype'], body];
}

/** The stand-in is as good as before. */
async function worksAgain(): Promise<void> {
  const { client, far } = await world.open();
  client.send('still there?');
  expect(await far.heard.next()).toMatchObject({ payload: Buffer.from('still there?') });
}

describe('a request that is refused before the stream', () => {
  it('for another operation: 404', async () => {
    world = await startWorld();
    const path = '/endpoints/demo/async-invocations';
    expect(await refused({ path })).toMatchObject([404, 'UnknownOperationException', {}]);
    expect(await refused({ method: 'PUT' })).toMatchObject([404, 'UnknownOperationException', {}]);
    await worksAgain();
  });

  it('without the right signature: 403, before anything is told about the endpoint', async () => {
    world = await startWorld();
    const credentials = { ...LOCAL_CREDENTIALS, secretAccessKey: 'guessed' };
    expect(await refused({ credentials, endpoint: 'nobody' })).toMatchObject([
      403,
      'InvalidSignatureException',
      { message: expect.stringContaining('does not match') },
    ]);
    expect(await refused({ forged: { authorization: undefined } })).toMatchObject([
      403,
      'MissingAuthenticationTokenException',
      { message: 'Missing Authentication Token' },
    ]);
    expect(await world.logged('stream refused')).toMatchObject({ status: 403 });
    await worksAgain();
  });

  it('without permission: 403, whether the endpoint exists or not', async () => {
    const limited = { accessKeyId: 'AKIDLIMITED', secretAccessKey: 's', endpointNames: ['mine'] };
    world = await startWorld({ credentials: [LOCAL_CREDENTIALS, limited] });
    for (const endpoint of ['demo', 'nobody']) {
      expect(await refused({ credentials: limited, endpoint })).toMatchObject([
        403,
        'AccessDeniedException',
        {},
      ]);
    }
  });

  it('with more headers than anybody reads: 400, before anything is looked at', async () => {
    world = await startWorld({ limits: { headerBytesMax: 2048 } });
    const headers = { 'x-long': 'a'.repeat(2048) };
    expect(await refused({ headers, forged: { authorization: undefined } })).toMatchObject([
      400,
      'InputValidationError',
      { ErrorCode: 'HeadersTooLong' },
    ]);
    await worksAgain();
  });

  it('with parts that the model does not allow: 400', async () => {
    world = await startWorld();
    const headers = { 'x-amzn-sagemaker-model-invocation-path': '/v1/realtime' };
    expect(await refused({ headers })).toStrictEqual([
      400,
      'InputValidationError',
      { Message: expect.stringContaining("'modelInvocationPath'"), ErrorCode: 'ValidationError' },
    ]);
    expect(await refused({ headers: { 'content-type': 'application/json' } })).toMatchObject([
      400,
      'InputValidationError',
      {},
    ]);
  });

  it('for an endpoint or a variant that is not there: 400', async () => {
    world = await startWorld();
    expect(await refused({ endpoint: 'nobody' })).toStrictEqual([
      400,
      'InputValidationError',
      { Message: 'Endpoint nobody of account 111122223333 not found.', ErrorCode: 'EndpointNotFound' },
    ]);
    const headers = { 'x-amzn-sagemaker-target-variant': 'Other' };
    expect(await refused({ headers })).toMatchObject([
      400,
      'InputValidationError',
      { ErrorCode: 'VariantNotFound' },
    ]);
  });

  it('for an endpoint that is not in service: 400, and it is when its container is healthy', async () => {
    const container = await FrameContainer.start();
    container.pingStatus = 503;
    world = await startWorld({ waits: false, endpoints: [{ name: 'demo', containerUrl: container.url }] });
    expect(world.runtime.endpoints).toMatchObject([{ name: 'demo', status: 'Creating' }]);
    expect(await refused()).toStrictEqual([
      400,
      'InputValidationError',
      {
        Message: 'Endpoint demo of account 111122223333 is Creating, not InService.',
        ErrorCode: 'EndpointNotInService',
      },
    ]);
    container.pingStatus = 200;
    await world.runtime.whenInService();
    const client = world.dial();
    expect((await client.response)[':status']).toBe(200);
    client.destroy();
    await container.stop();
  });

  it.each([400, 403, 404, 503])(
    'by the container with %i: 424, without the container’s words',
    async (status) => {
      world = await startWorld();
      world.container.refusal = status;
      expect(await refused()).toStrictEqual([
        424,
        'ModelError',
        {
          Message: 'Failed to establish WebSocket connection',
          OriginalStatusCode: status,
          OriginalMessage: 'Failed to establish WebSocket connection',
          LogStreamArn: 'arn:aws:logs:us-east-1:111122223333:log-group:/aws/sagemaker/Endpoints/demo',
          ErrorCode: 'ModelError',
        },
      ]);
      world.container.refusal = undefined;
      await worksAgain();
    },
  );

  it('for a container that says nothing, or is not there: 424 without a status', async () => {
    world = await startWorld({ limits: { handshakeMs: 50 } });
    world.container.refusal = 0;
    const gone = [424, 'ModelError', { Message: 'Failed to establish WebSocket connection' }];
    expect(await refused()).toMatchObject(gone);
    await world.container.stop();
    const answer = await refused();
    expect(answer).toMatchObject(gone);
    expect(answer).not.toHaveProperty('2.OriginalStatusCode');
  });

  it('for an image without the label: 424, and the container is left alone', async () => {
    const container = await FrameContainer.start();
    world = await startWorld({
      endpoints: [{ name: 'demo', containerUrl: container.url, hasStreamingLabel: false }],
    });
    expect(await refused()).toMatchObject([
      424,
      'ModelError',
      {
        OriginalMessage:
          'The image has no label com.amazonaws.sagemaker.capabilities.bidirectional-streaming=true.',
      },
    ]);
    expect(container.ends.size).toBe(0);
    await container.stop();
  });

  it('above the endpoint’s streams: 429, until one of them ends', async () => {
    world = await startWorld({ limits: { streamsPerEndpointMax: 2 } });
    const first = await world.open();
    await world.open();
    expect(await refused()).toStrictEqual([429, 'ThrottlingException', { message: 'Rate exceeded' }]);
    expect(world.runtime.endpoints).toMatchObject([{ streamCount: 2 }]);
    first.client.finish();
    await world.logged('stream ended');
    await worksAgain();
  });

  it('above the stand-in’s streams: 503', async () => {
    world = await startWorld({ limits: { streamsMax: 1 } });
    await world.open();
    expect(await refused()).toMatchObject([
      503,
      'ServiceUnavailableError',
      { ErrorCode: 'ServiceUnavailable' },
    ]);
  });
});

describe('a request that is let in', () => {
  it('reaches the container at the path it names, with its query, and with nothing of its own headers', async () => {
    world = await startWorld();
    const { far } = await world.open({
      headers: {
        'x-amzn-sagemaker-model-invocation-path': 'v1/realtime',
        'x-amzn-sagemaker-model-query-string': 'model=a&lang=en%20x',
      },
    });
    expect(far.path).toBe('/v1/realtime?model=a&lang=en%20x');
    const names = Object.keys(far.headers).sort();
    expect(names).toStrictEqual([
      'connection',
      'host',
      'sec-websocket-key',
      'sec-websocket-version',
      'upgrade',
    ]);
  });

  it('reaches the default path when it names none', async () => {
    world = await startWorld();
    const { far } = await world.open();
    expect(far.path).toBe('/invocations-bidirectional-stream');
  });

  it('goes to the variant it names, else to one after the other by their weights', async () => {
    const [heavy, light] = [await FrameContainer.start(), await FrameContainer.start()];
    world = await startWorld({
      endpoints: [
        {
          name: 'demo',
          variants: [
            { name: 'heavy', containerUrl: heavy.url, weight: 2 },
            { name: 'light', containerUrl: light.url },
            { name: 'dark', containerUrl: light.url, weight: 0 },
          ],
        },
      ],
    });
    const variants: unknown[] = [];
    for (let i = 0; i < 6; i += 1) {
      variants.push((await world.dial().response)['x-amzn-invoked-production-variant']);
    }
    expect(variants).toStrictEqual(['heavy', 'light', 'heavy', 'heavy', 'light', 'heavy']);
    const headers = { 'x-amzn-sagemaker-target-variant': 'dark' };
    expect((await world.dial({ headers }).response)['x-amzn-invoked-production-variant']).toBe('dark');
    await Promise.all([heavy.stop(), light.stop()]);
  });

  it('finds the endpoint of its own account and region', async () => {
    const other = { accessKeyId: 'AKIDOTHER', secretAccessKey: 's', accountId: '999999999999' };
    const container = await FrameContainer.start();
    const containerUrl = container.url;
    world = await startWorld({
      credentials: [LOCAL_CREDENTIALS, other],
      endpoints: [
        { name: 'demo', containerUrl, variants: [{ name: 'ours' }] },
        { name: 'demo', containerUrl, variants: [{ name: 'theirs' }], accountId: '999999999999' },
        { name: 'demo', containerUrl, variants: [{ name: 'far' }], region: 'eu-west-1' },
      ],
    });
    const variantOf = async (changes: RequestChanges): Promise<unknown> =>
      (await world.dial(changes).response)['x-amzn-invoked-production-variant'];
    expect(await variantOf({})).toBe('ours');
    expect(await variantOf({ credentials: other })).toBe('theirs');
    expect(await variantOf({ region: 'eu-west-1' })).toBe('far');
    expect(await refused({ credentials: other, region: 'eu-west-1' })).toMatchObject([
      400,
      'InputValidationError',
      {},
    ]);
    await container.stop();
  });

  it('is logged in one line that holds nothing of what was said', async () => {
    world = await startWorld();
    const { client, far } = await world.open({
      headers: { 'x-amzn-sagemaker-model-query-string': 'key=secretquery' },
    });
    client.send('secret question');
    await far.heard.next();
    far.send('secret answer');
    await client.answered.next();
    client.finish();
    const line = await world.logged('stream ended');
    expect(line).toMatchObject({
      endpoint: 'demo',
      variant: 'AllTraffic',
      end: 'client_done',
      clientParts: 1,
      clientBytes: 15,
      containerFrames: 1,
      containerBytes: 13,
    });
    expect(JSON.stringify(line)).not.toMatch(/secret|AKID/);
  });
});
