/** A bridge, a model server that takes files, and clients that send them. Who imports this closes `world` behind each test: hooks belong to the file that sets them. */
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { BridgeOptions } from '../../src/bridge.js';
import { listening, until, World } from '../peers.js';

export const world = new World();

/** A file as the model server got it. */
export interface Taken {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

export const TEXT = '{"text":"said"}';
export const MODELS = JSON.stringify({ object: 'list', data: [{ id: 'toy' }, { id: 'other' }] });

/** A model server that reads each file whole and then answers so; its list of models has one. */
export async function open(
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

export async function bodyOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // A stream of a socket gives buffers.
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A file that is sent by hand; `whole` is its answer. */
export function sendTo(
  http: string,
  headers: OutgoingHttpHeaders = {},
  path = '/invocations',
  method = 'POST',
) {
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
export async function invoke(
  http: string,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
  path?: string,
) {
  const { request, whole } = sendTo(http, { 'content-length': body.length, ...headers }, path);
  request.end(body);
  return await whole();
}

/** The parts of a form in the words of a reader of another make. */
export async function partsOf({ headers, body }: Taken): Promise<[string, string | File][]> {
  const type = headers['content-type'] ?? '';
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  return [...form].map(([name, value]) => [name, typeof value === 'string' ? value : (value as File)]);
}

/** The object of an error. */
export function errorOf(body: string): Record<string, unknown> {
  return JSON.parse(body).error;
}

export async function line() {
  await until(() => world.lines.some(({ message }) => message === 'invocation ended'));
  return world.lines.find(({ message }) => message === 'invocation ended')?.fields ?? {};
}

export const AUDIO = Buffer.from([0x52, 0x49, 0x46, 0x46, 0, 0xff, 13, 10, 45, 45]);
