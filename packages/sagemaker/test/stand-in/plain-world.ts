import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SageMakerRuntimeClient, type SageMakerRuntimeClientConfig } from '@aws-sdk/client-sagemaker-runtime';
import type { LogFields } from '@kikitori/core';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { formatAmzDate } from '../../src/event-stream/amz-date.js';
import {
  createSageMakerStandIn,
  LOCAL_CREDENTIALS,
  type SageMakerStandIn,
  type SageMakerStandInOptions,
} from '../../src/stand-in/index.js';

/** What a container answers a body with. */
export type Answerer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const closers: (() => unknown)[] = [];

/** Ends everything that was opened; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** A stand-in with one endpoint, in front of a container that answers so. */
export async function open(answerer: Answerer, options: Partial<SageMakerStandInOptions> = {}) {
  const lines: ({ readonly message: string } & LogFields)[] = [];
  const write = (message: string, fields: LogFields = {}): void => void lines.push({ message, ...fields });
  const asked: { url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
  const container = createServer((request, response) => {
    if (request.url === '/ping') {
      response.writeHead(200).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      asked.push({ url: request.url ?? '', headers: request.headers, body });
      answerer(request, response, body);
    });
  });
  const containerUrl = await listening(container);
  const runtime = await createSageMakerStandIn({
    port: 0,
    endpoints: [{ name: 'demo', containerUrl }],
    logger: { debug: write, info: write, warn: write, error: write },
    ...options,
    limits: { healthIntervalMs: 20, lingerMs: 20, ...options.limits },
  });
  closers.push(() => {
    container.closeAllConnections();
    container.close();
  });
  closers.push(() => runtime.destroy());
  await runtime.whenInService();
  return { runtime, container, asked, lines, client: clientOf(runtime) };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on a host and port, so its address is one.
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** AWS's own client, with the keys that everybody knows. */
export function clientOf(
  runtime: SageMakerStandIn,
  config: SageMakerRuntimeClientConfig = {},
): SageMakerRuntimeClient {
  // It would tell every run which Node it will want some day.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const { authority } = runtime;
  const agent = authority === undefined ? {} : { httpsAgent: new Agent({ ca: authority }) };
  const client = new SageMakerRuntimeClient({
    region: 'us-east-1',
    endpoint: runtime.url,
    credentials: LOCAL_CREDENTIALS,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(agent),
    ...config,
  });
  closers.push(() => client.destroy());
  return client;
}

/** What the client makes of a failure. */
export async function failed(answer: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it did not fail');
  return { ...error, name: error.name, message: error.message };
}

/** A request of HTTP/1.1 whose signature is right in everything but itself, and is not looked at before its body is there. */
export function sendBare(runtime: SageMakerStandIn, headers: Record<string, string> = {}) {
  const { day, second } = formatAmzDate(Date.now());
  const request = httpRequest(`${runtime.url}/endpoints/demo/invocations`, {
    method: 'POST',
    agent: false,
    headers: {
      'x-amz-date': second,
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDLOCAL/${day}/us-east-1/sagemaker/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
      ...headers,
    },
  });
  request.on('error', () => undefined);
  closers.push(() => request.destroy());
  const answer = new Promise<{ status: number; type: unknown; body: string }>((resolve, reject) => {
    request.on('close', () => reject(new Error('there was no answer')));
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, type: response.headers['x-amzn-errortype'], body });
      });
    });
  });
  answer.catch(() => undefined);
  return { request, answer };
}
