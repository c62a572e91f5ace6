import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { basicLogin, timerMs } from '@kikitori/core';
import { ProxyError, type ProxyErrorReason } from './errors.js';
import { PROXY_LIMITS } from './limits.js';
import { type Destination, destinationOf, type NamedProxy } from './proxies.js';

/** How long opening a tunnel may take. */
export interface TunnelOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default `PROXY_LIMITS.connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Asks a proxy for a connection to a host and a port (`CONNECT`), whatever will be spoken over it. What the server has said by then
 * is read from the socket.
 *
 * Rejects with `ProxyError`, or the signal's reason.
 */
export function openTunnel(
  proxy: NamedProxy,
  { host, port }: Pick<Destination, 'host' | 'port'>,
  { signal, timeoutMs = PROXY_LIMITS.connectTimeoutMs }: TunnelOptions = {},
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const request = ask(proxy, `${isIP(host) === 6 ? `[${host}]` : host}:${port}`);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (reason: unknown): void => {
      settle();
      // What the dying request still reports is of no interest.
      request.on('error', () => undefined);
      request.destroy();
      reject(reason);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const timer = setTimeout(
      () => giveUp(new ProxyError('proxy_timeout', proxy.variable)),
      timerMs(timeoutMs),
    );
    signal?.addEventListener('abort', onAbort);
    let isThere = false;
    request.once('socket', (socket) => {
      socket.once('connect', () => {
        isThere = true;
      });
    });
    request.once('error', (cause) => giveUp(failureOf(proxy, cause, isThere)));
    request.once('connect', (response, socket, head) => {
      const failure = refusalOf(proxy, response);
      if (failure !== undefined) {
        socket.destroy();
        giveUp(failure);
        return;
      }
      settle();
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.end();
  });
}

function ask({ url }: NamedProxy, target: string): ClientRequest {
  const { isTls, host, port } = destinationOf(url);
  return (isTls ? requestHttps : requestHttp)({
    method: 'CONNECT',
    host,
    port,
    path: target,
    headers: { host: target, connection: 'keep-alive', ...loginOf(url) },
    // One connection for one tunnel.
    agent: false,
    maxHeaderSize: PROXY_LIMITS.headBytesMax,
  });
}

function loginOf(url: URL): Readonly<Record<string, string>> {
  const login = basicLogin(url);
  return login === undefined ? {} : { 'proxy-authorization': login };
}

/** Statuses of what is a web server, and no proxy. */
const NO_PROXY_STATUSES: ReadonlySet<number> = new Set([400, 404, 405, 426, 501]);

/** undefined: the tunnel stands. */
function refusalOf({ url, variable }: NamedProxy, response: IncomingMessage): ProxyError | undefined {
  const { statusCode: httpStatus = 0, headers } = response;
  if (httpStatus >= 200 && httpStatus < 300) return undefined;
  if (httpStatus === 407) {
    const ways = String(headers['proxy-authenticate'] ?? '');
    return new ProxyError(reasonOfLogin(url, ways), variable, { httpStatus });
  }
  if (NO_PROXY_STATUSES.has(httpStatus)) return new ProxyError('not_a_proxy', variable, { httpStatus });
  return new ProxyError(httpStatus >= 500 ? 'proxy_failed' : 'proxy_refused', variable, { httpStatus });
}

function reasonOfLogin({ username }: URL, ways: string): ProxyErrorReason {
  if (ways !== '' && !/\bbasic\b/i.test(ways)) return 'proxy_login_unknown';
  return username === '' ? 'proxy_wants_login' : 'proxy_login_refused';
}

function failureOf({ url, variable }: NamedProxy, cause: Error, isThere: boolean): ProxyError {
  return new ProxyError(reasonOf('code' in cause ? String(cause.code) : '', url, isThere), variable, {
    cause,
  });
}

function reasonOf(code: string, { protocol }: URL, isThere: boolean): ProxyErrorReason {
  if (/^(?:ENOTFOUND|EAI_)/.test(code)) return 'proxy_not_found';
  // A parser's: what was answered is not HTTP.
  if (code.startsWith('HPE_')) return 'not_a_proxy';
  if (!isThere) return 'proxy_unreachable';
  // It took the connection and ended it without an answer.
  return protocol === 'https:' ? 'proxy_tls_failed' : 'not_a_proxy';
}
