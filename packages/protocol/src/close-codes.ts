/** Close codes a peer can see (RFC 6455 section 7.4.1 and what vLLM's web server uses). */

/** What a close code means here, and whether connecting again may help. */
export interface CloseCodeRow {
  readonly name: string;
  readonly retryable: boolean;
}

/** A close code that this protocol uses. */
export type CloseCode = 1000 | 1001 | 1006 | 1007 | 1008 | 1009 | 1011 | 1012 | 1013;

/** Every close code of this protocol. */
export const CLOSE_CODES: Readonly<Record<CloseCode, CloseCodeRow>> = {
  /** Either side was done; or the server ended the session and said why in an error event. */
  1000: { name: 'normal', retryable: false },
  1001: { name: 'going_away', retryable: true },
  /** Never sent: the connection was lost without a close frame. */
  1006: { name: 'lost', retryable: true },
  1007: { name: 'invalid_utf8', retryable: false },
  1008: { name: 'policy', retryable: false },
  1009: { name: 'too_big', retryable: false },
  /** No pong in time, or an internal error. */
  1011: { name: 'internal', retryable: true },
  1012: { name: 'restart', retryable: true },
  1013: { name: 'try_again_later', retryable: true },
};

function isCloseCode(code: number): code is CloseCode {
  return Object.hasOwn(CLOSE_CODES, code);
}

/** Is it worth connecting again after this close code? Unknown codes are not. */
export function isRetryableClose(code: number): boolean {
  return isCloseCode(code) && CLOSE_CODES[code].retryable;
}
