import { describe, expect, it } from 'vitest';
import {
  CLOSE_CODES,
  ERRORS,
  type ErrorCode,
  isErrorCode,
  isRetryableClose,
  isRetryableError,
  ProtocolError,
  parseServerEvent,
} from '../src/index.js';

/** What a client relies on, written down a second time: origin, close code, worth a retry. */
const CONTRACT: Record<ErrorCode, readonly ['vllm' | 'kikitori', number | null, boolean]> = {
  invalid_json: ['vllm', null, false],
  invalid_event: ['vllm', null, false],
  unknown_event: ['vllm', null, false],
  model_not_found: ['vllm', null, false],
  model_not_validated: ['vllm', null, false],
  invalid_audio: ['vllm', null, false],
  processing_error: ['vllm', null, true],
  unsupported_language: ['kikitori', null, false],
  invalid_frame: ['kikitori', null, false],
  frame_too_large: ['kikitori', 1009, false],
  buffer_full: ['kikitori', null, true],
  idle_timeout: ['kikitori', 1000, false],
  session_expired: ['kikitori', 1000, true],
  engine_busy: ['kikitori', 1013, true],
  slow_reader: ['kikitori', 1008, false],
};

describe('every error code', () => {
  it.each(Object.entries(CONTRACT))('%s leads to what the contract says', (code, expected) => {
    if (!isErrorCode(code)) throw new Error(code);
    const { origin, closeCode, retryable } = ERRORS[code];
    expect([origin, closeCode, retryable]).toStrictEqual(expected);
    expect(isRetryableError(code)).toBe(retryable);
  });

  it('is in the contract', () => {
    expect(Object.keys(ERRORS).sort()).toStrictEqual(Object.keys(CONTRACT).sort());
  });
});

it('texts that clients of vLLM may compare are vLLM’s', () => {
  expect([
    ERRORS.invalid_json.text,
    ERRORS.invalid_audio.text,
    ERRORS.model_not_validated.text,
  ]).toStrictEqual([
    'Invalid JSON',
    'Invalid audio data',
    'Model not validated. Make sure to validate the model by sending a session.update event.',
  ]);
});

it('the message that may be logged is static, the text for the wire is not', () => {
  const error = new ProtocolError('unknown_event', 'Unknown event type: secret');
  expect([error.name, error.message, error.wireText]).toStrictEqual([
    'ProtocolError',
    'The message is not an event of the dialect: unknown_event.',
    'Unknown event type: secret',
  ]);
  expect(error.toEvent()).toStrictEqual({
    type: 'error',
    error: 'Unknown event type: secret',
    code: 'unknown_event',
  });
});

it.each(['{', `"${'x'.repeat(16 * 1024 * 1024)}"`])('says of what is no JSON what the table says', (text) => {
  const event = parseServerEvent(text);
  if (event.type !== 'invalid') throw new Error(event.type);
  expect(event.error.wireText).toBe(ERRORS[event.error.code].text);
});

it('codes of others are not ours', () => {
  for (const code of ['rate_limited', 'constructor', '', null, undefined, 5])
    expect(isErrorCode(code)).toBe(false);
  expect([null, '', 'rate_limited'].map(isRetryableError)).toStrictEqual([false, false, false]);
});

it('says which close codes are worth connecting again', () => {
  const retryable = Object.keys(CLOSE_CODES).filter((code) => isRetryableClose(Number(code)));
  expect(retryable).toStrictEqual(['1001', '1006', '1011', '1012', '1013']);
  expect([1000, 1002, 4000, Number.NaN].map(isRetryableClose)).toStrictEqual([false, false, false, false]);
});
