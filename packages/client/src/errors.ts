import { isRetryableError } from '@kikitori/protocol';
import { TransportError } from '@kikitori/transport';
import { SERVER_TEXT_MAX } from './limits.js';

/** Why the client could not do what it was asked. Callers match the code, never the message. */
export type ClientErrorCode =
  /** An option or an argument out of its range. */
  | 'invalid_argument'
  /** Nobody answers at this address, or not what we speak. */
  | 'connect_failed'
  /** The server refused the connection (`httpStatus`). */
  | 'refused'
  /** The server reported an error (`serverCode`, `serverText`). */
  | 'server_error'
  /** The connection ended before the work was done, or was ended by the caller. */
  | 'closed'
  /** The server did not answer in time. */
  | 'timeout'
  /** The model bears no longer utterance, and ended one before all of it was answered. */
  | 'limit_reached'
  /** The caller's signal fired; the reason is the `cause`. */
  | 'aborted'
  /** Too much was sent without awaiting `send`. */
  | 'overflow'
  /** A second loop over the events, or one that began after events had been dropped. */
  | 'already_read'
  /** The server said something that the protocol does not know. */
  | 'protocol_error';

/** Another try may help, whatever the cause. For the codes of servers and connections see `ClientError.retryable`. */
const RETRYABLE: ReadonlySet<ClientErrorCode> = new Set([
  'connect_failed',
  'timeout',
  'limit_reached',
] as const);

/** What a `ClientError` may carry besides its code. */
export interface ClientErrorOptions {
  readonly cause?: unknown;
  readonly serverCode?: string | null;
  readonly serverText?: string;
}

/** The one error of this package. The message is a static sentence: no audio, no transcript, no address, no key. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** `server_error`: the code of the server's error event; null when it had none. */
  readonly serverCode: string | null | undefined;
  /** `server_error`: the server's own words, cut to 1,024 characters. Show it; do not log it. */
  readonly serverText: string | undefined;

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.serverCode = options.serverCode;
    this.serverText = options.serverText?.slice(0, SERVER_TEXT_MAX);
  }

  /** `refused`: the HTTP status of the handshake. */
  get httpStatus(): number | undefined {
    return this.cause instanceof TransportError ? this.cause.httpStatus : undefined;
  }

  /** `closed`: the WebSocket close code, where there was one. */
  get closeCode(): number | undefined {
    return this.cause instanceof TransportError ? this.cause.closeCode : undefined;
  }

  /** Whether the same thing may succeed when tried again later. */
  get retryable(): boolean {
    if (this.code === 'server_error') {
      // Errors without a code come from proxies that could not reach the server.
      return this.serverCode === null || isRetryableError(this.serverCode);
    }
    if (this.cause instanceof TransportError) return this.cause.retryable;
    return RETRYABLE.has(this.code);
  }
}

/** Turns what the transport threw while connecting into ours. */
export function fromConnectFailure(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const cause = error;
  switch (error instanceof TransportError ? error.code : undefined) {
    case 'refused':
      return new ClientError('refused', 'The server refused the connection; its HTTP status says why.', {
        cause,
      });
    case 'connect_timeout':
      return new ClientError('timeout', 'The server did not answer in time.', { cause });
    case 'invalid_url':
    case 'invalid_argument':
    case 'headers_unsupported':
      return new ClientError(
        'invalid_argument',
        'The address or the key cannot be used here; see the cause.',
        {
          cause,
        },
      );
    default:
      return new ClientError(
        'connect_failed',
        'No connection to the server; is it running at this address?',
        {
          cause,
        },
      );
  }
}

/** Turns what ended an open connection into ours. */
export function fromConnectionEnd(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  return new ClientError('closed', 'The connection ended before everything was transcribed.', {
    cause: error,
  });
}

/** For an error event of the server: audio or text is missing on this connection from here on. */
export function serverError(event: { readonly error: string; readonly code: string | null }): ClientError {
  return new ClientError('server_error', 'The server reported an error; its code says which.', {
    serverCode: event.code,
    serverText: event.error,
  });
}

/** For a caller's signal that fired. */
export function aborted(signal: AbortSignal): ClientError {
  return new ClientError('aborted', 'The caller aborted.', { cause: signal.reason });
}
