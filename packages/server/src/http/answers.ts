import type { ServerResponse } from 'node:http';
import type { HttpError } from '../errors.js';
import { RETRY_AFTER_S } from '../limits.js';

type Headers = Readonly<Record<string, string>>;

const TYPE_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'BadRequestError',
  404: 'NotFoundError',
  408: 'RequestTimeoutError',
  413: 'BadRequestError',
  415: 'BadRequestError',
  422: 'UnprocessableEntityError',
  500: 'InternalServerError',
  503: 'ServiceUnavailableError',
};

/** The body of an error: `{"error":{"message","type","param","code"}}`. */
export function errorBody(error: HttpError): string {
  return JSON.stringify(errorMembers(error));
}

/** The same, for an answer that says more. */
export function errorMembers({ status, message, param }: HttpError): object {
  return { error: { message, type: TYPE_OF_STATUS[status] ?? 'Error', param: param ?? null, code: status } };
}

/** Answers with an error. */
export function sendError(response: ServerResponse, error: HttpError, headers: Headers = {}): void {
  send(response, error.status, errorBody(error), { 'content-type': 'application/json', ...headers });
}

/** When to come back, where the reason passes. */
export function retryHeaders({ status }: HttpError): Headers {
  return status === 429 || status === 503 ? { 'retry-after': String(RETRY_AFTER_S) } : {};
}

/** Answers with compact JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
): void {
  send(response, status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

/** Answers with a body, or with none. */
export function send(response: ServerResponse, status: number, body = '', headers: Headers = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
  response.end(body);
}
