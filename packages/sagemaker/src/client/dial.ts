import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { timerMs } from '@kikitori/core';
import { openTunnel, type Proxies } from '@kikitori/transport/proxy';
import { SageMakerError, type SageMakerErrorReason } from '../errors.js';
import type { Endpoint } from './endpoint.js';

/** What opening a line needs. */
export interface DialOptions {
  readonly endpoint: Endpoint;
  /** PEM certificates to trust instead of the public ones. */
  readonly ca?: string | Uint8Array | undefined;
  readonly proxies?: Proxies | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const HTTP2_PROTOCOL = 'h2';

/**
 * Opens a TCP connection, through a proxy where one leads there, and TLS on it where the endpoint wants it, on which HTTP/2 may
 * be spoken.
 *
 * Rejects with `host_not_found`, `nobody_listens`, `network_failed`, `tls_failed`, `not_http2`, `connect_timeout`, with
 * `ProxyError`, or the signal's reason.
 */
export async function dial(options: DialOptions): Promise<Socket> {
  const { endpoint, proxies, timeoutMs, signal } = options;
  const proxy = proxies?.towards(endpoint);
  if (proxy === undefined) return await openLine(options, undefined);
  const tunnel = await openTunnel(proxy, endpoint, { signal, timeoutMs });
  return endpoint.isTls ? await openLine(options, tunnel) : tunnel;
}

/** `tunnel`: what TLS is spoken over, instead of a connection of its own. */
function openLine(
  { endpoint, ca, timeoutMs, signal }: DialOptions,
  tunnel: Socket | undefined,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      tunnel?.destroy();
      reject(signal.reason);
      return;
    }
    let socket: Socket;
    try {
      socket = endpoint.isTls ? openTls(endpoint, ca, tunnel) : connectTcp(endpoint.port, endpoint.host);
    } catch (cause) {
      tunnel?.destroy();
      // A CA that is no PEM.
      reject(new SageMakerError('tls_failed', { cause }));
      return;
    }
    let isThere = tunnel !== undefined;
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
    };
    const giveUp = (reason: unknown): void => {
      settle();
      // What the dying socket still reports is of no interest.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(reason);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const timer = setTimeout(() => giveUp(new SageMakerError('connect_timeout')), timerMs(timeoutMs));
    signal?.addEventListener('abort', onAbort);
    socket.setNoDelay(true);
    socket.once('connect', () => {
      isThere = true;
    });
    socket.once('error', (error) => giveUp(dialFailure(error, isThere)));
    socket.once('close', () => giveUp(new SageMakerError(isThere ? 'tls_failed' : 'network_failed')));
    socket.once(endpoint.isTls ? 'secureConnect' : 'connect', () => {
      if (isTls(socket) && socket.alpnProtocol !== HTTP2_PROTOCOL) {
        giveUp(new SageMakerError('not_http2'));
        return;
      }
      settle();
      resolve(socket);
    });
  });
}

function openTls(
  { host, port }: Endpoint,
  ca: string | Uint8Array | undefined,
  tunnel: Socket | undefined,
): TLSSocket {
  return connectTls({
    host,
    port,
    ...(tunnel === undefined ? {} : { socket: tunnel }),
    ALPNProtocols: [HTTP2_PROTOCOL],
    // RFC 6066 section 3: a server name is a name, never an address.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : Buffer.from(ca) }),
  });
}

function isTls(socket: Socket): socket is TLSSocket {
  return 'alpnProtocol' in socket;
}

function dialFailure(cause: Error, isThere: boolean): SageMakerError {
  return new SageMakerError(reasonOfDial('code' in cause ? cause.code : undefined, isThere), { cause });
}

/** What a failure to open a line is called; `isThere`: TCP stood already. */
export function reasonOfDial(code: unknown, isThere: boolean): SageMakerErrorReason {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return 'host_not_found';
    case 'ECONNREFUSED':
      return 'nobody_listens';
    case 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL':
      return 'not_http2';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ETIMEDOUT':
      return 'network_failed';
    default:
      // A certificate that is not accepted, a version, a cipher: everything that is no system error.
      return isThere ? 'tls_failed' : 'network_failed';
  }
}
