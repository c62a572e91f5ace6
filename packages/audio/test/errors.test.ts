import { describe, expect, it } from 'vitest';
import { AUDIO_ERRORS, AudioError } from '../src/errors.js';

describe('AudioError', () => {
  it('carries a code and a cause', () => {
    const cause = new Error('below');
    const error = new AudioError('file_damaged', 'The header is cut off.', { cause });
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.cause]).toEqual(['AudioError', 'file_damaged', cause]);
  });

  it('answers bad input with a 4xx status and exit code 2, our own faults with 5xx and 1', () => {
    for (const rule of Object.values(AUDIO_ERRORS)) {
      expect(rule.exitCode).toBe(rule.httpStatus < 500 ? 2 : 1);
      expect(rule.httpStatus).toBeGreaterThanOrEqual(400);
    }
  });
});
