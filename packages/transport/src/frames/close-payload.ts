import { isWireCloseCode, truncateCloseReason } from '../close-code.js';
import { TransportError } from '../errors.js';
import { encodeFrame } from './frame-header.js';
import { OPCODE } from './opcode.js';

/** What a close frame says. `code` is 1005 where it says nothing (RFC 6455 section 7.1.5); 1005 is never written. */
export interface CloseInfo {
  readonly code: number;
  /** Written by the peer: show it, do not trust it. */
  readonly reason: string;
}

/** Stands for a close frame without a code; never on the wire. */
export const CLOSE_CODE_ABSENT = 1005;

/**
 * Reads the payload of a close frame, unmasked.
 *
 * Throws `protocol_error` for a single byte or a code that may not be on the wire, `invalid_utf8` for the reason.
 */
export function decodeClosePayload(payload: Uint8Array): CloseInfo {
  if (payload.length === 0) return { code: CLOSE_CODE_ABSENT, reason: '' };
  const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
  if (payload.length === 1 || !isWireCloseCode(code)) {
    throw new TransportError('protocol_error', 'The peer closed with a code that may not be sent.');
  }
  try {
    const reason = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload.subarray(2));
    return { code, reason };
  } catch {
    throw new TransportError('invalid_utf8', 'The reason in the peer’s close frame is not UTF-8.');
  }
}

/**
 * The payload of a close frame. Code 1005 gives an empty one; other codes that may not be on the wire (1004, 1006,
 * 1015, below 1000, 1016-2999, above 4999) throw `invalid_argument`. A reason above 123 bytes is cut between characters.
 */
export function encodeClosePayload(code: number, reason = ''): Uint8Array {
  if (code === CLOSE_CODE_ABSENT) return new Uint8Array(0);
  if (!isWireCloseCode(code)) {
    throw new TransportError('invalid_argument', 'A close code must be 1000-1003, 1007-1014 or 3000-4999.');
  }
  const text = new TextEncoder().encode(truncateCloseReason(reason));
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(text, 2);
  return payload;
}

/** A whole close frame; `maskKey` where a client sends it. Errors: as `encodeClosePayload`. */
export function encodeCloseFrame(code: number, reason = '', maskKey?: number): Uint8Array {
  return encodeFrame(encodeClosePayload(code, reason), { opcode: OPCODE.close, maskKey });
}
