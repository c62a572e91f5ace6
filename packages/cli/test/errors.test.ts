import { SERVER_ERRORS, ServerError, type ServerErrorCode } from '@kikitori/server';
import { describe, expect, it } from 'vitest';
import { endingOf } from '../src/errors.js';

describe('endingOf', () => {
  it('ends as the table of the server says', () => {
    const endings = Object.keys(SERVER_ERRORS).map((code) => {
      // The keys of the table are the codes.
      const error = new ServerError(code as ServerErrorCode, 'Do this.');
      return [code, endingOf(error)];
    });
    expect(endings).toEqual(
      Object.entries(SERVER_ERRORS).map(([code, { exitCode }]) => [code, { exitCode, sentence: 'Do this.' }]),
    );
  });
});
