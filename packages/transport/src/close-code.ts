import { TransportError } from './errors.js';
import { CLOSE_REASON_BYTES_MAX } from './limits.js';

/** Stands for "no close frame" (RFC 6455 section 7.1.5); never sent. */
export const CLOSE_CODE_ABNORMAL = 1006;

// Normal, going away, and 1005: a close frame without a code.
const CLEAN_CLOSE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/**
 * How a stream of messages ends when the peer closed with this code.
 *
 * @returns undefined for a clean end, else the error to throw (`connection_lost` or `peer_closed`).
 */
export function endForCloseCode(closeCode: number, closeReason: string): TransportError | undefined {
  if (CLEAN_CLOSE_CODES.has(closeCode)) return undefined;
  if (closeCode === CLOSE_CODE_ABNORMAL) {
    return new TransportError('connection_lost', 'The connection was cut without a goodbye.', { closeCode });
  }
  return new TransportError('peer_closed', 'The peer closed the connection; its close code says why.', {
    closeCode,
    closeReason,
  });
}

/**
 * Whether a close frame may hold this code (RFC 6455 section 7.4 and the IANA registry): 1000-1003, 1007-1014,
 * 3000-4999. Not 1004 (reserved), and not 1005, 1006, 1015, which stand for things that no frame says.
 */
export function isWireCloseCode(code: number): boolean {
  const isRegistered = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  const isPrivate = code >= 3000 && code <= 4999;
  return Number.isInteger(code) && (isRegistered || isPrivate);
}

/** Throws `invalid_argument` for a code that RFC 6455 section 7.4 does not let an endpoint send. */
export function assertSendableCloseCode(code: number): void {
  if (!isWireCloseCode(code)) {
    throw new TransportError('invalid_argument', 'A close code must be 1000-1003, 1007-1014 or 3000-4999.');
  }
}

/** Cuts a reason to what a close frame holds, between characters. */
export function truncateCloseReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(CLOSE_REASON_BYTES_MAX));
  return reason.slice(0, read);
}
