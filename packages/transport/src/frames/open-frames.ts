import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { timerMs } from '@kikitori/core';
import { TransportError } from '../errors.js';
import { ClientHandshake, type HandshakeAnswer } from './client-handshake.js';
import { FRAME_LIMITS } from './limits.js';

/** Where to, and how. */
export interface OpenFramesOptions {
  /** `ws:` or `wss:`, without a name or password in it. */
  readonly url: string | URL;
  /** Sent with the handshake; those of the handshake itself may not be given, `host` may. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer. */
  readonly protocols?: readonly string[];
  /** Bounds the wait; rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Upper bound of the handshake, besides the signal. */
  readonly timeoutMs?: number;
  /** For `wss:`. */
  readonly tls?: ConnectionOptions;
}

/** An open line, or a refusal. */
export type FrameOpening =
  | {
      readonly kind: 'open';
      /** The caller's from here on: no listeners, `allowHalfOpen`, Nagle's algorithm off; paused until `resume()`. */
      readonly socket: Socket;
      /** Bytes of frames that came with the answer; read them before anything else. */
      readonly head: Buffer;
      readonly headers: Readonly<Record<string, string>>;
      /** The subprotocol that the peer chose of those offered. */
      readonly protocol: string | undefined;
    }
  | Extract<HandshakeAnswer, { kind: 'refused' }>;

/**
 * Opens a WebSocket and hands over the bare socket, for `FrameReader` and `encodeFrame`. Redirects are not followed, no
 * extension is offered.
 *
 * Rejects with `invalid_url`, `invalid_argument`, `connect_failed`, `connect_timeout`, `protocol_error`, or the signal's
 * reason; then nothing is left open. A refusal is an answer: status, headers and a bounded body.
 */
export async function openFrames(options: OpenFramesOptions): Promise<FrameOpening> {
  const { signal } = options;
  signal?.throwIfAborted();
  const url = parseUrl(options.url);
  const { headers = {}, protocols = [] } = options;
  const handshake = new ClientHandshake({ url, headers, protocols });
  const socket = connectTo(url, options.tls);
  try {
    const answer = await exchange(socket, handshake, options);
    if (answer.kind === 'open') {
      return {
        kind: 'open',
        socket,
        head: answer.rest,
        headers: answer.headers,
        protocol: answer.protocol,
      };
    }
    socket.destroy();
    return answer;
  } catch (error) {
    // Its own errors were heard; another may follow while it ends.
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
}

/** Throws `invalid_url`. */
function parseUrl(given: string | URL): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw new TransportError('invalid_url', 'The address must begin with ws:// or wss://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new TransportError('invalid_url', 'The address must not hold a name or a password.');
  }
  return url;
}

function connectTo(url: URL, tls: ConnectionOptions | undefined): Socket {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isTls = url.protocol === 'wss:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const shared = { host, port, allowHalfOpen: true, noDelay: true };
  return isTls
    ? connectTls({ ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }), ...tls, ...shared })
    : connectTcp(shared);
}

function exchange(
  socket: Socket,
  handshake: ClientHandshake,
  { signal, timeoutMs = FRAME_LIMITS.handshakeTimeoutMs }: OpenFramesOptions,
): Promise<HandshakeAnswer> {
  return new Promise((resolve, reject) => {
    let bodyTimer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(bodyTimer);
      signal?.removeEventListener('abort', onAbort);
      socket.pause();
      socket.off('data', onData).off('error', onError).off('end', onEnd).off('close', onEnd);
    };
    const fail = (reason: unknown): void => {
      settle();
      reject(reason);
    };
    const answer = (found: HandshakeAnswer): void => {
      settle();
      resolve(found);
    };
    const onAbort = (): void => fail(signal?.reason);
    const onError = (cause: Error): void => {
      const message = 'No connection to the server; is it running at this address?';
      fail(new TransportError('connect_failed', message, { cause }));
    };
    const onEnd = (): void => {
      const found = handshake.end();
      if (found !== undefined) answer(found);
      else fail(new TransportError('connect_failed', 'The server hung up without an answer.'));
    };
    const onData = (chunk: Buffer): void => {
      try {
        const found = handshake.push(chunk);
        if (found !== undefined) answer(found);
        else if (handshake.end() !== undefined) {
          bodyTimer ??= setTimeout(onEnd, FRAME_LIMITS.refusalBodyTimeoutMs);
        }
      } catch (error) {
        fail(error);
      }
    };
    const timer = setTimeout(() => {
      fail(new TransportError('connect_timeout', 'The peer did not answer the handshake in time.'));
    }, timerMs(timeoutMs));
    signal?.addEventListener('abort', onAbort);
    socket.on('data', onData).on('error', onError).on('end', onEnd).on('close', onEnd);
    socket.write(handshake.request);
  });
}
