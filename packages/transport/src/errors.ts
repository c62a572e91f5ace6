/** Why a connection could not be opened, or ended. Callers match the code, never the message. */
export type TransportErrorCode =
  /** The URL is not one this transport knows. */
  | 'invalid_url'
  /** A close code that may not be sent, or another argument out of its range. */
  | 'invalid_argument'
  /** A browser cannot send the credentials it was given. */
  | 'headers_unsupported'
  /** No network path: name not found, nobody listens, TLS failed. */
  | 'connect_failed'
  /** The handshake took longer than its bound. */
  | 'connect_timeout'
  /** The peer answered the handshake with an HTTP status (`httpStatus`). */
  | 'refused'
  /** The line was cut without a closing handshake. */
  | 'connection_lost'
  /** The peer closed with a code that is not a clean end (`closeCode`, `closeReason`). */
  | 'peer_closed'
  /** The peer gave no sign of life. */
  | 'keepalive_timeout'
  /** A message above the limit, in either direction. */
  | 'message_too_big'
  /** A text message that is not UTF-8. */
  | 'invalid_utf8'
  /** The peer broke the framing rules. */
  | 'protocol_error'
  /** The caller sends without awaiting and the buffer is full. */
  | 'send_overflow'
  /** The reader is too slow on a platform that cannot make the peer wait. */
  | 'receive_overflow'
  /** The connection is already closed or closing. */
  | 'closed'
  /** `destroy` was called without a reason. */
  | 'destroyed'
  /** A second consumer of a stream that has one. */
  | 'already_read'
  /** A failure made on purpose, in tests. */
  | 'injected';

/** Another try may help. For `refused` and `peer_closed` the status and the close code decide, see `retryable`. */
const RETRYABLE: ReadonlySet<TransportErrorCode> = new Set([
  'connect_failed',
  'connect_timeout',
  'connection_lost',
  'keepalive_timeout',
  'injected',
] as const);

/** What the peer is told. */
const CLOSE_CODES: Readonly<Partial<Record<TransportErrorCode, number>>> = {
  keepalive_timeout: 1011,
  message_too_big: 1009,
  invalid_utf8: 1007,
  protocol_error: 1002,
  receive_overflow: 4000,
};

// 500 is missing on purpose: vLLM 0.17 answers it for ever when it was started with an API key.
const RETRYABLE_HTTP_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);
// Internal error, service restart, try again later, bad gateway (IANA registry of WebSocket close codes).
const RETRYABLE_CLOSE_CODES: ReadonlySet<number> = new Set([1011, 1012, 1013, 1014]);

/** What a `TransportError` may carry besides its code. */
export interface TransportErrorOptions {
  readonly cause?: unknown;
  readonly closeCode?: number;
  readonly closeReason?: string;
  readonly httpStatus?: number;
  readonly retryAfterMs?: number | undefined;
}

/** The one error of this package. The message is a static sentence: no address, no header, no payload. */
export class TransportError extends Error {
  override readonly name: string = 'TransportError';
  readonly code: TransportErrorCode;
  /** The WebSocket close code that ended the connection, the peer's or ours. */
  readonly closeCode: number | undefined;
  /** The peer's words, at most 123 bytes. Written by the peer: show it, do not trust it. */
  readonly closeReason: string | undefined;
  /** The HTTP status that refused the handshake. */
  readonly httpStatus: number | undefined;
  /** `refused`: how long the peer asked to wait before another try (its `Retry-After`), where it did. */
  readonly retryAfterMs: number | undefined;

  constructor(code: TransportErrorCode, message: string, options: TransportErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.closeCode = options.closeCode ?? CLOSE_CODES[code];
    this.closeReason = options.closeReason;
    this.httpStatus = options.httpStatus;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same thing may succeed when tried again later. */
  get retryable(): boolean {
    if (this.code === 'refused') {
      return this.httpStatus !== undefined && RETRYABLE_HTTP_STATUSES.has(this.httpStatus);
    }
    if (this.code === 'peer_closed') {
      return this.closeCode !== undefined && RETRYABLE_CLOSE_CODES.has(this.closeCode);
    }
    return RETRYABLE.has(this.code);
  }
}
