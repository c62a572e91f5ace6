import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { createSageMakerConnect } from '../../src/client/index.js';
import { SageMakerError } from '../../src/errors.js';
import type { EventHeader } from '../../src/event-stream/headers.js';
import { encodeMessage } from '../../src/event-stream/message.js';
import { encodeException, encodePart } from '../../src/event-stream/payload-part.js';
import { SAGEMAKER_LIMITS } from '../../src/limits.js';
import { readAll, rejectionOf } from './delivery.js';
import { type Opened, openTo, optionsFor } from './opened.js';
import { FRAME, RawPeer } from './raw-peer.js';

let opened: Opened | undefined;

async function open(...args: Parameters<typeof openTo>): Promise<Opened> {
  opened = await openTo(...args);
  return opened;
}

afterEach(async () => {
  opened?.connection.destroy();
  await opened?.peer.stop();
  opened = undefined;
});

const PART = encodePart({ dataType: 'UTF8' }, Buffer.from('said'));
const END = { isEnd: true } as const;
const NOTHING = Buffer.alloc(0);

/** What the reader got, and the reason (or the code) of what ended it. */
async function ending({
  connection,
}: Opened): Promise<{ messages: unknown[]; end: string; retryable: boolean }> {
  const { messages, error } = await readAll(connection);
  if (error === undefined) return { messages, end: 'clean', retryable: false };
  if (!(error instanceof SageMakerError)) throw error;
  return { messages, end: error.reason, retryable: error.retryable };
}

describe('a stream that ends', () => {
  it('is a clean end when the service ends it between two messages', async () => {
    const world = await open();
    world.line.data(PART);
    world.line.data(NOTHING, END);
    expect(await ending(world)).toEqual({ messages: ['said'], end: 'clean', retryable: false });
  });

  it('is a clean end also when the service resets it with NO_ERROR behind its end', async () => {
    const world = await open();
    world.line.data(PART, END);
    world.line.reset(0);
    expect((await ending(world)).end).toBe('clean');
  });

  it('is an error when it is reset without an end, whatever the code', async () => {
    for (const code of [1, 2, 7, 8, 11]) {
      const world = await open();
      world.line.data(PART);
      world.line.reset(code);
      const expected = { messages: ['said'], end: 'stream_reset', retryable: true };
      expect(await ending(world)).toEqual(expected);
      await world.peer.stop();
    }
  });

  it('is an error when it is reset with a code behind its end', async () => {
    const world = await open();
    world.line.data(PART, END);
    world.line.reset(2);
    expect((await ending(world)).end).toBe('stream_reset');
  });

  it('is a lost line when TCP ends, resets, or the connection is given up with an error', async () => {
    const cuts = [
      ({ line }: Opened) => line.socket.end(),
      ({ line }: Opened) => line.socket.resetAndDestroy(),
      ({ line }: Opened) => line.send(FRAME.goaway, 0, 0, Buffer.from('000000010000000b', 'hex')),
    ];
    for (const cut of cuts) {
      const world = await open();
      world.line.data(PART);
      const reading = ending(world);
      await world.connection.send('x');
      await world.line.until(() => world.line.heard(FRAME.data).length > 0);
      cut(world);
      expect(await reading).toEqual({ messages: ['said'], end: 'line_lost', retryable: true });
      await world.peer.stop();
    }
  });

  it('goes on when the service only says that it takes no more streams', async () => {
    const world = await open();
    world.line.send(FRAME.goaway, 0, 0, Buffer.from('0000000100000000', 'hex'));
    world.line.data(PART);
    world.line.data(NOTHING, END);
    expect(await ending(world)).toEqual({ messages: ['said'], end: 'clean', retryable: false });
  });

  it('is an error when it ends inside an event, at every byte', async () => {
    for (let length = 1; length < PART.byteLength; length += 13) {
      const world = await open();
      world.line.data(PART.subarray(0, length), END);
      expect(await ending(world)).toEqual({ messages: [], end: 'frame_truncated', retryable: true });
      await world.peer.stop();
    }
  });

  it('is an error when it ends between the parts of a message', async () => {
    const world = await open();
    world.line.data(encodePart({ dataType: 'UTF8', completionState: 'PARTIAL' }, Buffer.from('half')), END);
    expect((await ending(world)).end).toBe('frame_truncated');
  });

  it('is an error of its own for each way in which an event can be damaged', async () => {
    const turned = (at: number): Buffer => {
      const bytes = Buffer.from(PART);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    };
    const huge = Buffer.from(encodeMessage([], Buffer.alloc(SAGEMAKER_LIMITS.frameBytesMax))).subarray(0, 12);
    const cases = [
      [turned(2), 'prelude_checksum'],
      [turned(40), 'message_checksum'],
      [huge, 'frame_too_large'],
    ] as const;
    for (const [bytes, reason] of cases) {
      const world = await open();
      world.line.data(PART);
      world.line.data(bytes);
      expect(await ending(world)).toMatchObject({ messages: ['said'], end: reason });
      // The service is told that nobody listens any more.
      await world.line.until(() => world.line.heard(FRAME.reset).length > 0);
      await world.peer.stop();
    }
  });

  it('is a silent service when neither bytes nor answers to pings come', async () => {
    const world = await open({ answersPings: false }, { livenessIntervalMs: 10, livenessTimeoutMs: 20 });
    expect(await ending(world)).toEqual({ messages: [], end: 'no_sign_of_life', retryable: true });
    expect(world.line.heard(FRAME.ping).length).toBeGreaterThan(0);
  });

  it('does not end while the service answers pings', async () => {
    const world = await open({}, { livenessIntervalMs: 5, livenessTimeoutMs: 500 });
    await world.line.until(() => world.line.heard(FRAME.ping).length >= 5);
    world.line.data(PART, END);
    expect((await ending(world)).end).toBe('clean');
  });

  it('is heard before it is read: what came before a failure is delivered first', async () => {
    const world = await open();
    for (let index = 0; index < 10; index += 1) world.line.data(PART);
    world.line.data(encodeException('InternalStreamFailure', { Message: 'm' }), END);
    const { messages, end } = await ending(world);
    expect([messages.length, end]).toEqual([10, 'stream_failed']);
  });
});

/** An exception as SageMaker was also seen to send it: an event whose type is the name of the failure. */
function asEvent(name: string, body: object): Uint8Array {
  const text = (value: string): EventHeader => ({ type: 'string', value });
  return encodeMessage(
    [
      [':message-type', text('event')],
      [':event-type', text(name)],
      [':content-type', text('application/json')],
    ],
    Buffer.from(JSON.stringify(body)),
  );
}

function unmodelled(code: string, words: string): Uint8Array {
  return encodeMessage(
    [
      [':message-type', { type: 'string', value: 'error' }],
      [':error-code', { type: 'string', value: code }],
      [':error-message', { type: 'string', value: words }],
    ],
    NOTHING,
  );
}

describe('a failure inside the stream', () => {
  const expired = { Message: 'm', ErrorCode: 'ModelInvocationTimeExceeded' };
  const generic = { Message: 'An error occurred while streaming the inference response' };
  const closed = (code: number): Readonly<Record<string, string>> => ({
    Message: `WebSocket closed with code ${code}: busy now`,
  });
  const cases: readonly (readonly [string, Uint8Array, object])[] = [
    ['generic', encodeException('ModelStreamError', generic), { reason: 'model_ended', retryable: true }],
    ['as an event', asEvent('ModelStreamError', generic), { reason: 'model_ended', code: 'peer_closed' }],
    ['as an event', asEvent('InternalStreamFailure', generic), { reason: 'stream_failed', retryable: true }],
    ['too long', encodeException('ModelStreamError', expired), { reason: 'stream_expired', retryable: true }],
    [
      'closed with 1013',
      encodeException('ModelStreamError', closed(1013)),
      { reason: 'model_ended', closeCode: 1013, closeReason: 'busy now', retryable: true },
    ],
    [
      'closed with 1008',
      encodeException('ModelStreamError', closed(1008)),
      { reason: 'model_ended', closeCode: 1008, retryable: false },
    ],
    [
      'the container vanished',
      encodeException('ModelStreamError', closed(1006)),
      { reason: 'container_lost', code: 'connection_lost', retryable: true },
    ],
    ['unmodelled', unmodelled('InternalFailure', 'w'), { reason: 'service_failed', serviceText: 'w' }],
    ['unmodelled', unmodelled('ThrottlingException', 'w'), { reason: 'throttled', retryable: true }],
    ['unheard of', unmodelled('Strange', 'w'), { reason: 'stream_failed', serviceCode: 'Strange' }],
    ['without JSON', encodeMessage([...failureHeaders()], Buffer.from('{')), { reason: 'model_ended' }],
  ];
  for (const [what, bytes, expected] of cases) {
    it(`is told apart: ${what}, ${JSON.stringify(expected)}`, async () => {
      const world = await open();
      world.line.data(PART);
      world.line.data(bytes, END);
      const { messages, error } = await readAll(world.connection);
      expect(messages).toEqual(['said']);
      expect(error).toBeInstanceOf(SageMakerError);
      expect(error).toMatchObject(expected);
      expect(await rejectionOf(world.connection.send('late'))).toMatchObject({ code: 'closed' });
    });
  }

  it('is none when the container closed normally', async () => {
    for (const code of [1000, 1001]) {
      const world = await open();
      world.line.data(encodeException('ModelStreamError', closed(code)), END);
      expect((await ending(world)).end).toBe('clean');
      await world.peer.stop();
    }
  });

  it('is none after our own close', async () => {
    const world = await open();
    const closing = world.connection.close();
    await world.line.until(() =>
      world.line.frames.some(({ type, flags }) => type === FRAME.data && flags === 1),
    );
    world.line.data(PART);
    world.line.data(encodeException('ModelStreamError', { Message: 'Input stream broken' }), END);
    await closing;
    expect(await ending(world)).toEqual({ messages: ['said'], end: 'clean', retryable: false });
  });

  it('does not take unknown events, or an initial response, for anything', async () => {
    const world = await open();
    world.line.data(asEvent('initial-response', {}));
    world.line.data(encodeMessage([], NOTHING));
    world.line.data(PART, END);
    expect(await ending(world)).toEqual({ messages: ['said'], end: 'clean', retryable: false });
  });
});

function* failureHeaders(): Iterable<readonly [string, EventHeader]> {
  yield [':message-type', { type: 'string', value: 'exception' }];
  yield [':exception-type', { type: 'string', value: 'ModelStreamError' }];
}

describe('a message of an answer', () => {
  it('is put together from its parts, whatever the later parts say they are', async () => {
    const world = await open();
    const bytes = Buffer.from('聞き取り');
    world.line.data(encodePart({ dataType: 'UTF8', completionState: 'PARTIAL' }, bytes.subarray(0, 4)));
    world.line.data(encodePart({ dataType: 'BINARY', completionState: 'PARTIAL' }, NOTHING));
    world.line.data(encodePart({ completionState: 'COMPLETE' }, bytes.subarray(4)));
    world.line.data(encodePart({}, Buffer.of(1, 2)));
    world.line.data(NOTHING, END);
    const { messages } = await ending(world);
    expect(messages).toEqual(['聞き取り', Uint8Array.of(1, 2)]);
  });

  it('must be within the bound, also in parts, and text must be UTF-8', async () => {
    const partial = encodePart({ dataType: 'BINARY', completionState: 'PARTIAL' }, Buffer.alloc(600));
    const broken = encodePart({ dataType: 'UTF8' }, Buffer.of(0xe8, 0x81));
    for (const [answers, end] of [
      [[partial, partial], 'message_too_large'],
      [[broken], 'text_not_utf8'],
    ] as const) {
      const world = await open({}, { messageBytesMax: 1000 });
      for (const answer of answers) world.line.data(answer);
      expect((await ending(world)).end).toBe(end);
      await world.peer.stop();
    }
  });

  it('waits at the service while nobody reads, and comes once somebody does', async () => {
    const world = await open();
    const { line, connection } = world;
    const answer = encodePart({ dataType: 'BINARY' }, Buffer.alloc(16_000));
    const credit = (): number =>
      line
        .heard(FRAME.windowUpdate, 1)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(), SAGEMAKER_LIMITS.streamWindowBytes);
    let sentCount = 0;
    const sendWhatMay = async (): Promise<number> => {
      const before = sentCount;
      for (; (sentCount + 1) * answer.byteLength <= credit(); sentCount += 1) line.data(answer);
      // An answered ping: everything before it was read, and what that let go of has come.
      const pings = line.heard(FRAME.ping).length;
      line.send(FRAME.ping, 0, 0, Buffer.alloc(8));
      await line.until(() => line.heard(FRAME.ping).length > pings);
      return sentCount - before;
    };
    while ((await sendWhatMay()) > 0);
    expect(sentCount * answer.byteLength).toBeGreaterThan(1024 * 1024);
    expect(sentCount * answer.byteLength).toBeLessThan(1.5 * 1024 * 1024);
    let readCount = 0;
    for await (const message of connection.messages) {
      expect(message.length).toBe(16_000);
      readCount += 1;
      if (readCount === sentCount) break;
    }
    expect(readCount).toBe(sentCount);
  });
});

describe('a close', () => {
  it('resets the stream when the service does not end the answer in time', async () => {
    const world = await open({}, { closeTimeoutMs: 20 });
    await world.connection.close();
    await world.line.until(() => world.line.heard(FRAME.reset).length > 0);
    expect(world.line.heard(FRAME.reset)[0]?.payload.readUInt32BE()).toBe(8);
    expect((await ending(world)).end).toBe('clean');
  });

  it('leaves no connection and no timer behind', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    // What earlier tests left for a moment; the one that stays is the framework's.
    while (timers() > 1) await new Promise((resolve) => setImmediate(resolve));
    const world = await open();
    const closing = world.connection.close();
    await world.line.until(() =>
      world.line.frames.some(({ type, flags }) => type === FRAME.data && flags === 1),
    );
    world.line.data(NOTHING, END);
    await closing;
    await once(world.line.socket, 'close');
    for (let turn = 0; turn < 1000 && timers() > 1; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(timers()).toBeLessThan(2);
  });

  it('is a reset with CANCEL when it is a destroy', async () => {
    const world = await open();
    world.connection.destroy();
    await world.line.until(() => world.line.heard(FRAME.reset).length > 0);
    expect(world.line.heard(FRAME.reset)[0]?.payload.readUInt32BE()).toBe(8);
    await once(world.line.socket, 'close');
  });
});

describe('streams that share a connection', () => {
  it('are as many as asked for and as the service allows, and the connection ends with the last', async () => {
    const peer = await RawPeer.start({ streamsMax: 2 });
    const connect = createSageMakerConnect(optionsFor(peer.url, { streamsPerConnection: 10 }));
    const connections = [];
    for (const [lineIndex, stream] of [
      [0, 1],
      [0, 3],
      [1, 1],
    ] as const) {
      const connecting = connect({ url: '' });
      const line = peer.lines[lineIndex] ?? (await peer.nextLine());
      await line.until(() => line.heard(FRAME.headers, stream).length === 1);
      line.accept(stream);
      connections.push(await connecting);
    }
    expect(peer.lines.length).toBe(2);
    const [first, second] = connections;
    first?.destroy();
    await second?.send('still there');
    await peer.lines[0]?.until((line) => line.heard(FRAME.data, 3).length === 1);
    for (const connection of connections) connection.destroy();
    await Promise.all(peer.lines.map(({ socket }) => socket.destroyed || once(socket, 'close')));
    await peer.stop();
  });

  it('are one per connection unless asked for', async () => {
    const world = await open();
    const connect = createSageMakerConnect(optionsFor(world.peer.url));
    const connecting = connect({ url: '' });
    const line = await world.peer.nextLine();
    await line.until(() => line.heard(FRAME.headers).length === 1);
    line.accept();
    (await connecting).destroy();
    expect(world.peer.lines.length).toBe(2);
  });
});
