import { ManualClock } from '@kikitori/core/manual-clock';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { afterEach, describe, expect, it } from 'vitest';
import { LOCAL_CREDENTIALS } from '../../src/stand-in/index.js';
import { AwsClient, type InvokeInput, type PayloadPart } from './aws-client.js';
import type { ContainerEnd } from './frame-container.js';
import { Inbox } from './inbox.js';
import { startWorld, type World } from './world.js';

let world: World;
let client: AwsClient | undefined;
afterEach(async () => {
  client?.destroy();
  await world.dispose();
});

/** An input that is fed by hand. */
class Feed {
  readonly #parts = new Inbox<PayloadPart | undefined>();
  give(part: PayloadPart): void {
    this.#parts.push(part);
  }
  end(): void {
    this.#parts.push(undefined);
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<{ PayloadPart: PayloadPart }> {
    for (;;) {
      const part = await this.#parts.next();
      if (part === undefined) return;
      yield { PayloadPart: { ...part } };
    }
  }
}

function connect(config: ConstructorParameters<typeof AwsClient>[0] = {}): AwsClient {
  client = new AwsClient({ endpoint: world.runtime.url, credentials: LOCAL_CREDENTIALS, ...config });
  return client;
}

/** Opens a stream on which the container speaks first, so that `send` resolves. */
async function open(feed = new Feed()): Promise<{
  readonly feed: Feed;
  readonly far: ContainerEnd;
  readonly events: AsyncIterator<{ readonly PayloadPart?: PayloadPart }>;
}> {
  const sent = connect().send({ EndpointName: 'demo', Body: feed });
  const far = await world.container.ends.next();
  far.send('hello');
  const { Body } = await sent;
  const events = Body[Symbol.asyncIterator]();
  expect((await events.next()).value?.PayloadPart?.DataType).toBe('UTF8');
  return { feed, far, events };
}

describe("AWS's own client", () => {
  it('sends, receives, says GOAWAY after the headers, and goes on', async () => {
    world = await startWorld();
    const feed = new Feed();
    const sent = connect().send({ EndpointName: 'demo', ModelInvocationPath: 'v1/realtime', Body: feed });
    const far = await world.container.ends.next();
    expect(far.path).toBe('/v1/realtime');
    far.send('first');
    const { Body, InvokedProductionVariant, $metadata } = await sent;
    expect(InvokedProductionVariant).toBe('AllTraffic');
    expect($metadata).toMatchObject({ httpStatusCode: 200, requestId: expect.stringMatching(/-/) });
    const events = Body[Symbol.asyncIterator]();
    const first = (await events.next()).value?.PayloadPart;
    expect(first).toMatchObject({ DataType: 'UTF8', CompletionState: 'COMPLETE' });
    for (let i = 0; i < 20; i += 1) {
      feed.give({ Bytes: Buffer.from(`question ${i}`), DataType: 'UTF8' });
      expect(await far.heard.next()).toMatchObject({ kind: 'text', payload: Buffer.from(`question ${i}`) });
      far.send(`answer ${i}`);
      const { PayloadPart } = (await events.next()).value ?? {};
      expect(Buffer.from(PayloadPart?.Bytes ?? []).toString()).toBe(`answer ${i}`);
    }
    feed.end();
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1000 });
    expect(await events.next()).toMatchObject({ done: true });
  });

  it('trusts the certificate that is shown, over TLS', async () => {
    world = await startWorld({ isPlaintext: false });
    const feed = new Feed();
    const { authority: ca = '' } = world.runtime;
    const requestHandler = new NodeHttp2Handler({ nodeHttp2ConnectOptions: { ca } });
    const sent = connect({ requestHandler }).send({ EndpointName: 'demo', Body: feed });
    (await world.container.ends.next()).send('hello');
    expect((await sent).$metadata.httpStatusCode).toBe(200);
    feed.end();
  });

  it('sends fragments and gets fragments, and is told the variant it asked for', async () => {
    world = await startWorld();
    const feed = new Feed();
    const sent = connect().send({
      EndpointName: 'demo',
      TargetVariant: 'AllTraffic',
      ModelQueryString: 'a=1&b=x%20y',
      Body: feed,
    });
    const far = await world.container.ends.next();
    expect(far.path).toBe('/invocations-bidirectional-stream?a=1&b=x%20y');
    feed.give({ Bytes: Buffer.from('a'), DataType: 'UTF8', CompletionState: 'PARTIAL', P: 'padding' });
    feed.give({ Bytes: Buffer.from('b'), DataType: 'UTF8', CompletionState: 'COMPLETE' });
    expect(await far.heard.next()).toMatchObject({ kind: 'text', isFinal: false, payload: Buffer.from('a') });
    expect(await far.heard.next()).toMatchObject({
      kind: 'continuation',
      isFinal: true,
      payload: Buffer.from('b'),
    });
    far.send(Buffer.of(1), { isFinal: false });
    far.send(Buffer.of(2), { opcode: 0 });
    const { Body } = await sent;
    const states: unknown[] = [];
    for await (const { PayloadPart } of Body) {
      states.push([PayloadPart?.DataType, PayloadPart?.CompletionState, PayloadPart?.Bytes?.[0]]);
      if (states.length === 2) break;
    }
    expect(states).toStrictEqual([
      ['BINARY', 'PARTIAL', 1],
      ['BINARY', 'COMPLETE', 2],
    ]);
    feed.end();
  });

  it('waits in send until the container speaks, and sends meanwhile', async () => {
    world = await startWorld();
    const feed = new Feed();
    let isSent = false;
    const sent = connect()
      .send({ EndpointName: 'demo', Body: feed })
      .then((output) => {
        isSent = true;
        return output;
      });
    const far = await world.container.ends.next();
    feed.give({ Bytes: Buffer.from('anybody?'), DataType: 'UTF8' });
    expect(await far.heard.next()).toMatchObject({ payload: Buffer.from('anybody?') });
    expect(isSent).toBe(false);
    far.close(1000);
    const { Body } = await sent;
    expect(await Body[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    feed.end();
  });

  it.each<[string, string, Partial<InvokeInput>, (world: World) => void, object]>([
    [
      'a bad path',
      'InputValidationError',
      { ModelInvocationPath: '/v1' },
      () => undefined,
      { ErrorCode: 'ValidationError', $metadata: { httpStatusCode: 400 } },
    ],
    [
      'an unknown endpoint',
      'InputValidationError',
      { EndpointName: 'nobody' },
      () => undefined,
      { ErrorCode: 'EndpointNotFound' },
    ],
    [
      'a container that refuses',
      'ModelError',
      {},
      ({ container }) => {
        container.refusal = 403;
      },
      {
        message: 'Failed to establish WebSocket connection',
        OriginalStatusCode: 403,
        LogStreamArn: expect.stringContaining('/aws/sagemaker/Endpoints/demo'),
        $metadata: { httpStatusCode: 424 },
      },
    ],
  ])('gets %s as a typed %s', async (_name, name, input, prepare, expected) => {
    world = await startWorld();
    prepare(world);
    const feed = new Feed();
    const failure = connect().send({ EndpointName: 'demo', ...input, Body: feed });
    await expect(failure).rejects.toMatchObject({ name, ...expected });
    feed.end();
  });

  it('gets a wrong secret as InvalidSignatureException', async () => {
    world = await startWorld();
    const feed = new Feed();
    const credentials = { ...LOCAL_CREDENTIALS, secretAccessKey: 'wrong' };
    const failure = connect({ credentials }).send({ EndpointName: 'demo', Body: feed });
    await expect(failure).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      $metadata: { httpStatusCode: 403 },
    });
    feed.end();
  });

  it.each<[string, (far: ContainerEnd) => void, object]>([
    [
      'the close of a container',
      (far) => far.close(1011, 'engine died'),
      { message: 'WebSocket closed with code 1011: engine died', ErrorCode: '1011' },
    ],
    ['a killed container', (far) => far.socket.destroy(), { ErrorCode: 'StreamBroken' }],
  ])('throws ModelStreamError for %s', async (_name, act, expected) => {
    world = await startWorld();
    const { feed, far, events } = await open();
    act(far);
    await expect(events.next()).rejects.toMatchObject({ name: 'ModelStreamError', ...expected });
    feed.end();
  });

  it('learns the clock of the service from its first refusal, and signs by it from then on', async () => {
    const clock = new ManualClock(Date.now() + 3_600_000);
    world = await startWorld({ clock });
    const aws = connect();
    const first = new Feed();
    await expect(aws.send({ EndpointName: 'demo', Body: first })).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    first.end();
    const feed = new Feed();
    const sent = aws.send({ EndpointName: 'demo', Body: feed });
    const far = await world.container.ends.next();
    far.send('hello');
    const { Body } = await sent;
    const events = Body[Symbol.asyncIterator]();
    await events.next();
    for (let i = 0; i < 3; i += 1) {
      feed.give({ Bytes: Buffer.from('by your clock'), DataType: 'UTF8' });
      expect(await far.heard.next()).toMatchObject({ payload: Buffer.from('by your clock') });
    }
    feed.end();
    expect(await events.next()).toMatchObject({ done: true });
  });

  it('is gone when it is aborted: the container hears Close', async () => {
    world = await startWorld();
    const feed = new Feed();
    const aborter = new AbortController();
    const sent = connect().send({ EndpointName: 'demo', Body: feed }, { abortSignal: aborter.signal });
    const far = await world.container.ends.next();
    far.send('hello');
    const { Body } = await sent;
    const events = Body[Symbol.asyncIterator]();
    await events.next();
    aborter.abort();
    expect(await far.heard.next()).toMatchObject({ kind: 'close', code: 1001 });
    await world.logged('stream ended');
    feed.end();
  });
});
