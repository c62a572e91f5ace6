import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { timerMs } from '@kikitori/core';
import type { BridgeLimits } from '../limits.js';
import type { Upstream } from './upstream.js';

/** What an answer is made of. */
interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
}

const failure = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
});
const NOT_READY = failure(503, 'The model server is not ready; try again later.');
const LATE = failure(504, 'The model server does not answer.');
const TOO_LONG = failure(502, 'The list of models is too long to be passed on.');

/**
 * Asks the model server for its list of models and passes the answer on: status, type and body, nothing else. Of the request
 * the key goes along, else the login of the upstream's address. Within `modelsTimeoutMs` and `modelsBytesMax`. Never rejects.
 */
export async function passModels(
  upstream: Pick<Upstream, 'modelsUrl' | 'headers'>,
  { headers: { authorization } }: IncomingMessage,
  response: ServerResponse,
  limits: BridgeLimits,
): Promise<void> {
  const headers = { ...upstream.headers, ...(authorization === undefined ? {} : { authorization }) };
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { status, type, body } = await askModels(upstream.modelsUrl, {
    headers,
    signal: gone.signal,
    limits,
  });
  const retry = status === 503 ? { 'Retry-After': '5' } : {};
  response.writeHead(status, { 'Content-Type': type, ...retry }).end(body);
}

/** Asks for the list; the key goes in `headers`. Never rejects. */
export function askModels(
  url: URL,
  options: {
    readonly headers: Record<string, string>;
    readonly signal: AbortSignal;
    readonly limits: BridgeLimits;
  },
): Promise<Answer> {
  const { headers, signal, limits } = options;
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(LATE), timerMs(limits.modelsTimeoutMs));
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, { agent: false, signal, headers: { ...headers, connection: 'close' } });
    const settle = (answer: Answer): void => {
      clearTimeout(timer);
      resolve(answer);
      request.destroy();
    };
    request.on('error', () => settle(NOT_READY));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let lengthBytes = 0;
      response.on('error', () => settle(NOT_READY));
      response.on('data', (chunk: Buffer) => {
        lengthBytes += chunk.length;
        chunks.push(chunk);
        if (lengthBytes > limits.modelsBytesMax) settle(TOO_LONG);
      });
      response.on('end', () => {
        const type = response.headers['content-type'] ?? 'application/octet-stream';
        settle({ status: response.statusCode ?? 502, type, body: Buffer.concat(chunks) });
      });
    });
    request.end();
  });
}
