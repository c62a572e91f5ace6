/** An answer of a server that is not the one wanted. Says nothing of its address, which may be a signed one. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';
  readonly status: number;
  /** How long the server asked to wait. */
  readonly waitMs: number | undefined;
  /** The hub's own name of what is wrong, such as `GatedRepo`. */
  readonly hubCode: string | undefined;

  constructor(status: number, { waitMs, hubCode }: { waitMs?: number | undefined; hubCode?: string } = {}) {
    super('The server answered with an error status.');
    this.status = status;
    this.waitMs = waitMs;
    this.hubCode = hubCode;
  }
}

/** A source that stopped sending, or ended before it was done. */
export class BrokenOffError extends Error {
  override readonly name = 'BrokenOffError';
}

const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_SOCKET',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

const TRANSIENT_NAMES: ReadonlySet<string> = new Set([
  'BrokenOffError',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'InternalError',
  'ServiceUnavailable',
  // `fetch` says nothing else when a connection breaks while it reads.
  'TimeoutError',
]);

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Is another try in a moment worth it? Unreachable, broken off, overloaded; of a hub, of S3, of `fetch`. */
export function isTransient(error: unknown): boolean {
  let current = error;
  // Causes nest a few levels deep; the bound is against a cycle.
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if (isTransientItself(current)) return true;
    current = current.cause;
  }
  return false;
}

function isTransientItself(error: Error): boolean {
  if (error instanceof HttpStatusError) return TRANSIENT_STATUSES.has(error.status);
  if (TRANSIENT_NAMES.has(error.name)) return true;
  if ('code' in error && typeof error.code === 'string' && TRANSIENT_CODES.has(error.code)) return true;
  const { httpStatusCode } = metadataOf(error);
  return httpStatusCode !== undefined && TRANSIENT_STATUSES.has(httpStatusCode);
}

/** The HTTP status of an error of AWS's client; none when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? metadataOf(error).httpStatusCode : undefined;
}

function metadataOf(error: Error): { readonly httpStatusCode?: number } {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return {};
  const { $metadata } = error;
  return 'httpStatusCode' in $metadata && typeof $metadata.httpStatusCode === 'number'
    ? { httpStatusCode: $metadata.httpStatusCode }
    : {};
}
