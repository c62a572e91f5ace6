import { mkdtemp } from 'node:fs/promises';
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

  it('says what to do where nothing can be kept for a while', async () => {
    const refused: unknown = await mkdtemp('/nowhere/at/all/').catch((error: unknown) => error);
    expect(endingOf(refused)).toEqual({
      exitCode: 1,
      sentence: 'The temporary folder cannot be written to; set TMPDIR to one that can.',
    });
    const full = Object.assign(new Error('no'), { syscall: 'mkdtemp', code: 'ENOSPC' });
    expect(endingOf(full).sentence).toBe(
      'The temporary folder has no room left; make some, or set TMPDIR to another folder.',
    );
  });
});
