import type { Message } from '@kikitori/transport';
import { afterEach, describe, expect, it } from 'vitest';
import { makeConnect } from '../../src/client/connect.js';
import { resolveConnectOptions } from '../../src/client/connect-options.js';
import { signRequest } from '../../src/client/signed-headers.js';
import { parseAmzDate } from '../../src/event-stream/amz-date.js';
import { EventStreamDecoder } from '../../src/event-stream/decoder.js';
import { decodeMessage } from '../../src/event-stream/message.js';
import { encodePart, type PartHeaders, readStreamEvent } from '../../src/event-stream/payload-part.js';
import { canonicalRequest, parseAuthorization } from '../../src/event-stream/request-signature.js';
import { EXCHANGES, type Exchange, headerOf } from '../shared-exchange.js';
import { END_STREAM, FRAME, RawPeer } from './raw-peer.js';

let peer: RawPeer | undefined;

afterEach(async () => {
  await peer?.stop();
  peer = undefined;
});

/** What the client of an exchange was given. */
interface Inputs {
  readonly credentials: Exchange['credentials'];
  readonly region: string;
  readonly authority: string;
  readonly target: {
    readonly endpointName: string;
    readonly targetVariant?: string;
    readonly modelInvocationPath?: string;
    readonly modelQueryString?: string;
  };
  readonly userAgent: string;
  readonly amzUserAgent: string;
  readonly invocationId: string;
  readonly attempt: string;
  readonly requestMs: number;
  readonly parts: readonly {
    readonly dateMs: number;
    readonly headers: PartHeaders;
    readonly payload: Buffer;
  }[];
  readonly endMs: number;
}

/** What it put on the wire. */
interface Sent {
  readonly headersPayload: string;
  readonly dataPayloads: readonly string[];
  readonly lastFlags: number;
}

async function run(inputs: Inputs, answers: readonly Buffer[] = []): Promise<Sent> {
  peer = await RawPeer.start();
  const { authority, credentials, region, target } = inputs;
  const resolved = resolveConnectOptions({
    ...target,
    region,
    credentials,
    endpointUrl: `http://${authority}`,
  });
  let nowMs = inputs.requestMs;
  const headers = inputs.parts.map((part) => part.headers);
  const { userAgent, amzUserAgent, attempt, invocationId } = inputs;
  const connect = makeConnect(
    { ...resolved, endpoint: { ...resolved.endpoint, host: '127.0.0.1', port: peer.port } },
    {
      identity: { userAgent, amzUserAgent, attempt, invocationId: () => invocationId },
      now: () => nowMs,
      partHeadersOf: () => headers.shift() ?? {},
    },
  );
  const connecting = connect({ url: '' });
  const line = await peer.nextLine();
  await line.until(() => line.heard(FRAME.headers).length === 1);
  line.accept();
  const connection = await connecting;
  for (const [index, { dateMs, payload }] of inputs.parts.entries()) {
    nowMs = dateMs;
    // A frame each, as somebody sends who speaks.
    await connection.send(payload);
    await line.until(() => line.heard(FRAME.data).length === index + 1);
  }
  for (const answer of answers) line.data(answer);
  nowMs = inputs.endMs;
  const closing = connection.close();
  await line.until(() => line.frames.some(({ type, flags }) => type === FRAME.data && flags === END_STREAM));
  line.data(Buffer.alloc(0), { isEnd: true });
  await closing;
  const data = line.heard(FRAME.data);
  return {
    headersPayload: line.heard(FRAME.headers)[0]?.payload.toString('hex') ?? '',
    dataPayloads: data.map(({ payload }) => payload.toString('hex')),
    lastFlags: data.at(-1)?.flags ?? 0,
  };
}

/** The inputs behind an exchange, read off it. */
function inputsOf(exchange: Exchange): Inputs {
  const optional = (name: string): string | undefined =>
    exchange.request.pseudoAndHeadersInOrder.find(([header]) => header === name)?.[1];
  const events = exchange.requestEvents.map(({ hex, outerHeaders }) => {
    const inner = decodeMessage(Buffer.from(hex, 'hex')).payload;
    return { dateMs: Number(outerHeaders[0]?.[2]), inner };
  });
  return {
    credentials: exchange.credentials,
    region: exchange.region,
    authority: headerOf(exchange, ':authority'),
    target: {
      endpointName: headerOf(exchange, ':path').split('/')[2] ?? '',
      ...present('targetVariant', optional('x-amzn-sagemaker-target-variant')),
      ...present('modelInvocationPath', optional('x-amzn-sagemaker-model-invocation-path')),
      ...present('modelQueryString', optional('x-amzn-sagemaker-model-query-string')),
    },
    userAgent: headerOf(exchange, 'user-agent'),
    amzUserAgent: headerOf(exchange, 'x-amz-user-agent'),
    invocationId: headerOf(exchange, 'amz-sdk-invocation-id'),
    attempt: headerOf(exchange, 'amz-sdk-request'),
    requestMs: parseAmzDate(headerOf(exchange, 'x-amz-date')) ?? 0,
    parts: events.slice(0, -1).map(({ dateMs, inner }) => {
      const { headers, payload } = decodeMessage(inner);
      const event = readStreamEvent(headers);
      if (event.kind !== 'part') throw new Error('Every event of a request is a part.');
      return { dateMs, headers: event.headers, payload: Buffer.from(payload) };
    }),
    endMs: events.at(-1)?.dateMs ?? 0,
  };
}

function present<Name extends string>(name: Name, value: string | undefined): { [key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]?: string });
}

for (const { name, exchange } of EXCHANGES) {
  describe(`${name}${exchange === undefined ? ' (absent here)' : ''}`, () => {
    it.skipIf(exchange === undefined)(
      'is what our client puts on the wire, given the same inputs and clock',
      async () => {
        if (exchange === undefined) return;
        const sent = await run(inputsOf(exchange));
        const frames = exchange.http2.clientToServer;
        const data = frames.filter(({ type }) => type === 'DATA');
        expect(sent.dataPayloads).toEqual(data.map(({ payloadHex }) => payloadHex));
        expect(sent.lastFlags).toBe(END_STREAM);
        expect(sent.headersPayload).toBe(frames.find(({ type }) => type === 'HEADERS')?.payloadHex);
      },
    );
  });
}

const OWN_INPUTS: Inputs = {
  credentials: {
    accessKeyId: 'AKIAKIKITORI',
    secretAccessKey: 'ThisIsNoSecretItIsATestVector',
    sessionToken: 'no+token/either==',
  },
  region: 'eu-central-1',
  authority: 'runtime.sagemaker.eu-central-1.amazonaws.com:8443',
  target: {
    endpointName: 'kikitori-demo',
    targetVariant: 'AllTraffic',
    modelInvocationPath: 'v1/realtime',
    modelQueryString: 'model=base&note=a%20b',
  },
  userAgent: 'kikitori/0.0.0',
  amzUserAgent: 'kikitori/0.0.0',
  invocationId: '00000000-0000-4000-8000-000000000000',
  attempt: 'attempt=1; max=1',
  // The last second of a year: the scope of the signatures changes on the way.
  requestMs: Date.UTC(2025, 11, 31, 23, 59, 58, 123),
  parts: [
    {
      dateMs: Date.UTC(2025, 11, 31, 23, 59, 59, 999),
      headers: { dataType: 'UTF8' },
      payload: Buffer.from('{"type":"session.update","model":"größer 聞き取り"}'),
    },
    {
      dateMs: Date.UTC(2026, 0, 1),
      headers: { dataType: 'BINARY' },
      payload: Buffer.from('00ff01fe', 'hex'),
    },
    {
      dateMs: Date.UTC(2025, 11, 31, 23, 59, 59, 500),
      headers: { dataType: 'UTF8', completionState: 'PARTIAL', padding: 'ppp' },
      payload: Buffer.from('half '),
    },
    {
      dateMs: Date.UTC(2026, 0, 1, 0, 0, 1),
      headers: { dataType: 'UTF8', completionState: 'COMPLETE' },
      payload: Buffer.from('and half'),
    },
    { dateMs: Date.UTC(2026, 0, 1, 0, 0, 2), headers: {}, payload: Buffer.alloc(0) },
  ],
  endMs: Date.UTC(2026, 0, 1, 0, 0, 3),
};

const OWN_ANSWERS = [
  {
    DataType: 'UTF8',
    CompletionState: 'COMPLETE',
    BytesHex: Buffer.from('{"type":"session.created"}').toString('hex'),
  },
  { DataType: 'UTF8', CompletionState: 'PARTIAL', BytesHex: 'e8' },
  { DataType: 'UTF8', CompletionState: 'COMPLETE', BytesHex: '819e' },
  { DataType: 'BINARY', CompletionState: 'COMPLETE', BytesHex: '00ff' },
] as const;

it('our own exchange is kept as a file, made from our own client', async () => {
  const answers = OWN_ANSWERS.map(({ DataType, CompletionState, BytesHex }) =>
    Buffer.from(
      encodePart({ dataType: DataType, completionState: CompletionState }, Buffer.from(BytesHex, 'hex')),
    ),
  );
  const { headersPayload, dataPayloads } = await run(OWN_INPUTS, answers);
  const exchange = { ...(await describeExchange(OWN_INPUTS, headersPayload, dataPayloads, answers)) };
  await expect(`${JSON.stringify(exchange, null, 2)}\n`).toMatchFileSnapshot('../vectors/exchange.json');
});

async function describeExchange(
  inputs: Inputs,
  headersPayload: string,
  dataPayloads: readonly string[],
  answers: readonly Buffer[],
): Promise<Exchange> {
  const { credentials, region, authority, target, invocationId, ...identity } = inputs;
  const { headers } = await signRequest({
    endpoint: { isTls: false, host: 'localhost', port: 1, authority },
    region,
    target,
    credentials,
    identity: { ...identity, invocationId: () => invocationId },
    nowMs: inputs.requestMs,
  });
  const { signedHeaders = [] } = parseAuthorization(headers['authorization'] ?? '') ?? {};
  const canonical = canonicalRequest(
    { method: 'POST', path: headers[':path'] ?? '', headers },
    signedHeaders,
  );
  return {
    credentials,
    region,
    request: { pseudoAndHeadersInOrder: Object.entries(headers), canonicalRequest: canonical ?? '' },
    requestEvents: dataPayloads.filter((hex) => hex !== '').map(describeEvent),
    responseEventsAsParsedByClient: OWN_ANSWERS,
    http2: {
      clientToServer: [
        { type: 'HEADERS', flags: 4, payloadHex: headersPayload },
        ...dataPayloads.map((payloadHex) => ({ type: 'DATA', flags: payloadHex === '' ? 1 : 0, payloadHex })),
      ],
      serverToClient: answers.map((answer) => ({
        type: 'DATA',
        flags: 0,
        payloadHex: answer.toString('hex'),
      })),
    },
  };
}

function describeEvent(hex: string): Exchange['requestEvents'][number] {
  const outer = decodeMessage(Buffer.from(hex, 'hex'));
  const described = (headers: typeof outer.headers): [string, string, string][] =>
    [...headers].map(([header, { type, value }]) => [
      header,
      type,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value),
    ]);
  if (outer.payload.byteLength === 0) return { hex, outerHeaders: described(outer.headers), inner: null };
  const inner = decodeMessage(outer.payload);
  return {
    hex,
    outerHeaders: described(outer.headers),
    inner: { headers: described(inner.headers), bodyHex: Buffer.from(inner.payload).toString('hex') },
  };
}

it('answers of an exchange reach the reader as whole messages', async () => {
  for (const { exchange } of EXCHANGES) {
    if (exchange === undefined) continue;
    const frames = exchange.http2.serverToClient.filter(({ type }) => type === 'DATA');
    const decoder = new EventStreamDecoder();
    for (const { payloadHex = '' } of frames) decoder.push(Buffer.from(payloadHex, 'hex'), () => undefined);
    expect(decoder.isAtBoundary).toBe(true);
    expect(await readAnswers(frames.map(({ payloadHex = '' }) => Buffer.from(payloadHex, 'hex')))).toEqual(
      wholeMessages(exchange),
    );
    await peer?.stop();
  }
});

async function readAnswers(answers: readonly Buffer[]): Promise<Message[]> {
  peer = await RawPeer.start();
  const connect = makeConnect(
    resolveConnectOptions({
      endpointName: 'demo',
      region: 'us-east-1',
      endpointUrl: peer.url,
      credentials: OWN_INPUTS.credentials,
    }),
    {
      identity: { userAgent: 'u', amzUserAgent: 'u', attempt: 'a', invocationId: () => 'i' },
      now: Date.now,
      partHeadersOf: () => ({}),
    },
  );
  const connecting = connect({ url: '' });
  const line = await peer.nextLine();
  await line.until(() => line.heard(FRAME.headers).length === 1);
  line.accept();
  for (const answer of answers) line.data(answer);
  line.data(Buffer.alloc(0), { isEnd: true });
  const messages: Message[] = [];
  for await (const message of (await connecting).messages) messages.push(message);
  return messages;
}

function wholeMessages({ responseEventsAsParsedByClient }: Exchange): Message[] {
  const messages: Message[] = [];
  let held = Buffer.alloc(0);
  for (const { DataType, CompletionState, BytesHex } of responseEventsAsParsedByClient) {
    held = Buffer.concat([held, Buffer.from(BytesHex, 'hex')]);
    if (CompletionState === 'PARTIAL') continue;
    messages.push(DataType === 'UTF8' ? held.toString('utf8') : new Uint8Array(held));
    held = Buffer.alloc(0);
  }
  return messages;
}
