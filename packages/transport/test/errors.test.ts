import { describe, expect, it } from 'vitest';
import { assertSendableCloseCode, endForCloseCode, truncateCloseReason } from '../src/close-code.js';
import { TransportError, type TransportErrorCode } from '../src/errors.js';

describe('transport errors', () => {
  it('say whether another try may help', () => {
    const expected: Readonly<Record<Exclude<TransportErrorCode, 'refused' | 'peer_closed'>, boolean>> = {
      invalid_url: false,
      invalid_argument: false,
      headers_unsupported: false,
      connect_failed: true,
      connect_timeout: true,
      connection_lost: true,
      keepalive_timeout: true,
      message_too_big: false,
      invalid_utf8: false,
      protocol_error: false,
      send_overflow: false,
      receive_overflow: false,
      closed: false,
      destroyed: false,
      already_read: false,
      injected: true,
    };
    const codes = Object.keys(expected) as (keyof typeof expected)[];
    const told = codes.map((code) => [code, new TransportError(code, 'x').retryable]);
    expect(Object.fromEntries(told)).toEqual(expected);
  });

  it('of refused handshakes go by the HTTP status', () => {
    const retryable = [400, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504].filter(
      (httpStatus) => new TransportError('refused', 'x', { httpStatus }).retryable,
    );
    expect(retryable).toEqual([408, 425, 429, 502, 503, 504]);
    expect(new TransportError('refused', 'x').retryable).toBe(false);
  });

  it('of closed connections go by the close code', () => {
    for (const code of [1000, 1001, 1005]) expect(endForCloseCode(code, '')).toBeUndefined();
    expect(endForCloseCode(1006, '')).toMatchObject({ code: 'connection_lost', retryable: true });
    const codes = [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
    const retryable = codes.filter((code) => endForCloseCode(code, '')?.retryable);
    expect(retryable).toEqual([1011, 1012, 1013, 1014]);
  });

  it('carry the close code that the peer is told, or the one that was given', () => {
    const codes = [
      'keepalive_timeout',
      'message_too_big',
      'invalid_utf8',
      'protocol_error',
      'receive_overflow',
      'connection_lost',
    ] as const;
    expect(codes.map((code) => new TransportError(code, 'x').closeCode)).toEqual([
      1011,
      1009,
      1007,
      1002,
      4000,
      undefined,
    ]);
    expect(new TransportError('message_too_big', 'x', { closeCode: 1008 }).closeCode).toBe(1008);
  });
});

describe('close frames', () => {
  it('take the codes of RFC 6455 that an endpoint may send', () => {
    const sendable: number[] = [];
    for (let code = 990; code <= 5010; code += 1) {
      try {
        assertSendableCloseCode(code);
        sendable.push(code);
      } catch {
        // Not sendable.
      }
    }
    expect(sendable.slice(0, 11)).toEqual([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013]);
    expect(sendable.slice(11, 13)).toEqual([1014, 3000]);
    expect(sendable.at(-1)).toBe(4999);
  });

  it('take reasons of 123 bytes, cut between characters', () => {
    for (const [reason, expected] of [
      ['', ''],
      ['x'.repeat(123), 'x'.repeat(123)],
      ['x'.repeat(124), 'x'.repeat(123)],
      ['ü'.repeat(62), 'ü'.repeat(61)],
      [`x${'ü'.repeat(61)}`, `x${'ü'.repeat(61)}`],
      ['🎙'.repeat(31), '🎙'.repeat(30)],
    ] as const) {
      expect(truncateCloseReason(reason)).toBe(expected);
    }
  });
});
