/** What a hub is not asked for, or what it is not: a sentence that says what to do. */
export class HubError extends Error {
  override readonly name = 'HubError';
  /** `invalid`: an address, a token or a name that cannot be used. `not_a_hub`: something else answers there. */
  readonly code: 'invalid' | 'not_a_hub';

  constructor(code: HubError['code'], sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** An answer of a server that is not the one wanted. Says nothing of its address, which may be a signed one. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';
  readonly status: number;
  /** `E404` and the like. */
  readonly code: string;
  /** How long the server asked to wait, in milliseconds. */
  readonly waitMs: number | undefined;
  /** The hub's own name of what is wrong, such as `GatedRepo`. */
  readonly hubCode: string | undefined;

  constructor(status: number, { waitMs, hubCode }: { waitMs?: number | undefined; hubCode?: string } = {}) {
    super('The server answered with an error status.');
    this.status = status;
    this.code = `E${status}`;
    this.waitMs = waitMs;
    this.hubCode = hubCode;
  }
}

/** A source that stopped sending, or ended before it was done. */
export class BrokenOffError extends Error {
  override readonly name = 'BrokenOffError';
  readonly code = 'EBROKENOFF';
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTCACHED',
  'EADDRNOTAVAIL',
]);

const BROKEN_OFF: ReadonlySet<string> = new Set([
  'EBROKENOFF',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_SOCKET_TIMEOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'EIDLETIMEOUT',
  'ECONNECTIONTIMEOUT',
  'EBADSIZE',
  'Z_BUF_ERROR',
  'UND_ERR_SOCKET',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** Of a server that is asked too much, or is not well for the moment. */
const PASSING_STATUS = /^E(408|425|429|5\d\d)$/;

/** The error codes of an error and its causes, outermost first. */
export function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  let current = error;
  // Causes nest a few levels deep; the bound is against a cycle.
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') codes.push(current.code);
    current = current.cause;
  }
  return codes;
}

/**
 * What a proxy on the way says of itself, where it was that: nobody knows better what to do. Its error is known by name, since who speaks to
 * proxies is not known here.
 */
export function proxySentence(error: unknown): string | undefined {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if (current.name === 'ProxyError') return current.message;
    current = current.cause;
  }
  return undefined;
}

/** Nobody was reached. */
export function isUnreachable(codes: readonly string[]): boolean {
  return codes.some((code) => UNREACHABLE.has(code));
}

/** What was begun broke off. */
export function isBrokenOff(codes: readonly string[]): boolean {
  return codes.some((code) => BROKEN_OFF.has(code));
}

/** Is another try in a moment worth it? Unreachable, broken off, overloaded. */
export function isTransient(error: unknown): boolean {
  const codes = codesOf(error);
  return isUnreachable(codes) || isBrokenOff(codes) || codes.some((code) => PASSING_STATUS.test(code));
}
