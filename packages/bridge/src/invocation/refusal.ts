import type { IncomingMessage, ServerResponse } from 'node:http';
import { timerMs } from '@kikitori/core';
import type { BridgeLimits } from '../limits.js';

/** What a client is told instead of the model server's answer. */
export interface Refusal {
  readonly status: number;
  /** A sentence. */
  readonly message: string;
}

const TYPES: Readonly<Record<number, string>> = {
  403: 'ForbiddenError',
  405: 'MethodNotAllowedError',
  408: 'RequestTimeoutError',
  413: 'BadRequestError',
  502: 'BadGatewayError',
  503: 'ServiceUnavailableError',
  504: 'GatewayTimeoutError',
};

/** Answers with an error in the shape of our server and vLLM: `{"error":{"message","type","param","code"}}`. */
export function sendRefusal(response: ServerResponse, { status, message }: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  const error = { message, type: TYPES[status] ?? 'Error', param: null, code: status };
  const body = JSON.stringify({ error });
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
    ...(status === 503 ? { 'Retry-After': '5' } : {}),
    ...(status === 405 ? { Allow: 'POST' } : {}),
  });
  response.end(body);
}

/** Reads on for a while what nobody wants: a sender that is reset while it sends does not get to read why. */
export async function discardBody(request: IncomingMessage, limits: BridgeLimits): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    let leftBytes = 2 * limits.invocationBytesMax;
    const timer = setTimeout(() => resolve(), timerMs(limits.refusalTimeoutMs));
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    request.on('data', (chunk: Buffer) => {
      leftBytes -= chunk.length;
      if (leftBytes < 0) done();
    });
    request.once('end', done);
    request.once('close', done);
    request.resume();
  });
}
