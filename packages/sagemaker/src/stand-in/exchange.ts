import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '@kikitori/core';
import { endAnswer } from './answer-end.js';
import type { StandInLimits } from './limits.js';
import { type RuntimeRequest, readRequest } from './request.js';

/** One request with a body of its own and the way to its answer, whichever version of HTTP it came in. */
export interface Exchange {
  readonly request: RuntimeRequest;
  /** As it comes; whoever wants it reads it. */
  readonly body: Readable;
  /** Resolves when nothing can be said any more: the answer is out, or the client is gone. */
  readonly closed: Promise<void>;
  /** Nothing can be said any more. */
  readonly isClosed: boolean;
  /** Sends the head; the answer's body is to be written to what is returned, and ended with `end`. */
  begin(status: number, headers: Readonly<Record<string, string>>): Writable;
  /** Ends the answer so that its client gets to read it, whether it has sent its whole body or not. */
  end(): void;
  /** Cuts the answer in its middle. */
  cut(): void;
}

/** What an end depends on. */
interface ExchangeOptions {
  readonly limits: StandInLimits;
  readonly clock: Clock;
}

/** Of HTTP/2. */
export function exchangeOfStream(
  stream: ServerHttp2Stream,
  rawHeaders: readonly string[],
  options: ExchangeOptions,
): Exchange {
  // Without a listener a broken client would end the process.
  stream.on('error', () => undefined);
  return {
    request: readRequest(rawHeaders),
    body: stream,
    closed: closing(stream),
    get isClosed() {
      return stream.destroyed || stream.closed;
    },
    begin: (status, headers) => {
      stream.respond({ ...headers, ':status': status });
      return stream;
    },
    end: () => endAnswer(stream, options),
    cut: () => stream.destroy(),
  };
}

/** Of HTTP/1.1; its method and path become pseudo headers, which its own syntax cannot have. */
export function exchangeOfHttp1(
  request: IncomingMessage,
  response: ServerResponse,
  { limits, clock }: ExchangeOptions,
): Exchange {
  const { method = '', url = '', rawHeaders, headers: told } = request;
  const hasNoBody = told['transfer-encoding'] === undefined && Number(told['content-length'] ?? 0) === 0;
  const isWhole = (): boolean => request.complete || hasNoBody;
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  return {
    request: readRequest([':method', method, ':path', url, ...rawHeaders]),
    body: request,
    closed: closing(response),
    get isClosed() {
      return response.destroyed || response.closed;
    },
    begin: (status, headers) => {
      // Node would cut a sender that still sends when the answer is out.
      if (!isWhole()) response.setHeader('connection', 'close');
      response.writeHead(status, headers);
      return response;
    },
    end: () => {
      // A client that does not read is cut off; what it still sends is read and dropped for as long.
      const cancel = clock.after(limits.flushMs, () => response.destroy());
      response.once('close', cancel);
      if (isWhole()) response.end();
      else lingerThen(request, { limits, clock }, () => response.end());
    },
    cut: () => response.destroy(),
  };
}

function lingerThen(request: IncomingMessage, { limits, clock }: ExchangeOptions, run: () => void): void {
  const cancel = clock.after(limits.lingerMs, run);
  request.once('end', () => {
    cancel();
    run();
  });
  request.once('close', cancel);
  request.resume();
}

function closing(side: Writable): Promise<void> {
  return new Promise((resolve) => side.once('close', () => resolve()));
}
