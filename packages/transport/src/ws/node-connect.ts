import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { timerMs } from '@kikitori/core';
import type { Connection, ConnectOptions } from '../connection.js';
import { TransportError } from '../errors.js';
import { TRANSPORT_LIMITS } from '../limits.js';
import { retryAfterMs } from '../retry-after.js';
import { LimitedWebSocket, NodeWebSocketConnection, type WebSocketTuning } from './node-connection.js';

/** What `connectWebSocket` takes besides the seam's options. */
export interface ConnectTuning extends WebSocketTuning {
  /** Upper bound of the handshake, besides the caller's signal. */
  readonly connectTimeoutMs?: number;
  /** The stream to speak over, instead of a socket to the host that the address names: a tunnel, or a test's. */
  readonly createConnection?: () => Duplex;
}

/**
 * Opens a WebSocket (`ws:`, `wss:`). Redirects are not followed, so headers reach the named host only; compression is
 * not offered: base64 audio gains a quarter and would cost 0.3 MB and a zlib call per message.
 *
 * Rejects with `invalid_url`, `connect_failed`, `connect_timeout`, `refused` (with `httpStatus`), `protocol_error`,
 * or the signal's reason.
 */
export function connectWebSocket(options: ConnectOptions, tuning: ConnectTuning = {}): Promise<Connection> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const socket = open(options, tuning);
    let stream: Duplex | undefined;
    let failure: unknown;

    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
    };
    const giveUp = (reason: unknown): void => {
      failure ??= reason;
      socket.terminate();
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const timer = setTimeout(
      () => {
        giveUp(new TransportError('connect_timeout', 'The peer did not answer the handshake in time.'));
      },
      timerMs(tuning.connectTimeoutMs ?? TRANSPORT_LIMITS.connectTimeoutMs),
    );

    signal?.addEventListener('abort', onAbort);
    socket.once('upgrade', (response) => {
      stream = response.socket;
    });
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      giveUp(refusal(response));
    });
    socket.on('error', (error) => {
      failure ??= connectFailure(error);
    });
    // `ws` always closes after an error, so this is the one place where a failure settles the promise.
    socket.once('close', () => {
      settle();
      reject(failure ?? connectFailure(undefined));
    });
    socket.once('open', () => {
      settle();
      if (stream === undefined) {
        socket.terminate();
        reject(connectFailure(undefined));
        return;
      }
      resolve(new NodeWebSocketConnection({ socket, stream, role: 'client', tuning }));
    });
  });
}

function open(options: ConnectOptions, tuning: ConnectTuning): LimitedWebSocket {
  let url: URL;
  try {
    url = new URL(options.url);
  } catch {
    throw new TransportError('invalid_url', 'The address is not a URL; it must begin with ws:// or wss://.');
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new TransportError('invalid_url', 'The address must begin with ws:// or wss://.');
  }
  url.hash = '';
  const messageBytesMax = tuning.messageBytesMax ?? TRANSPORT_LIMITS.messageBytesMax;
  try {
    const socket = new LimitedWebSocket(url, [...(options.protocols ?? [])], {
      headers: { ...options.headers },
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: messageBytesMax,
      ...(tuning.createConnection === undefined ? {} : { createConnection: tuning.createConnection }),
    });
    socket.messageBytesMax = messageBytesMax;
    return socket;
  } catch (error) {
    throw new TransportError('invalid_argument', 'A header or subprotocol cannot be sent.', { cause: error });
  }
}

function refusal({ statusCode: httpStatus, headers }: IncomingMessage): TransportError {
  const message = 'The peer refused the connection; its HTTP status says why.';
  const afterMs = retryAfterMs(headers['retry-after'], Date.now());
  return new TransportError('refused', message, {
    ...(httpStatus === undefined ? {} : { httpStatus }),
    retryAfterMs: afterMs,
  });
}

function connectFailure(error: Error | undefined): TransportError {
  // An answer that is not a WebSocket handshake has no system error code.
  const isNetwork = error === undefined || 'code' in error;
  return isNetwork
    ? new TransportError('connect_failed', 'No connection to the server; is it running at this address?', {
        cause: error,
      })
    : new TransportError('protocol_error', 'What answered there does not speak WebSocket.', { cause: error });
}
