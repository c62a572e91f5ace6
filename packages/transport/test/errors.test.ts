import { describe, expect, it } from 'vitest';
import { assertSendableCloseCode, endForCloseCode, truncateCloseReason } from '../src/close-code.js';
import { TRANSPORT_ERRORS, TransportError } from '../src/errors.js';

describe('transport errors', () => {
  it('say by their table whether another try may help', () => {
    const codes = Object.keys(TRANSPORT_ERRORS) as (keyof typeof TRANSPORT_ERRORS)[];
    for (const code of codes.filter((name) => !['refused', 'peer_closed'].includes(name))) {
      expect(new TransportError(code, 'x').retryable).toBe(TRANSPORT_ERRORS[code].retryable);
    }
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

  it('carry the close code that their table names', () => {
    expect(new TransportError('message_too_big', 'x').closeCode).toBe(1009);
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
