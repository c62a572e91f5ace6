import { afterEach, expect, it, vi } from 'vitest';
import { decodeFile } from '../../src/file/index.js';
import { spoolError } from '../../src/file/spool.js';

afterEach(() => vi.unstubAllEnvs());

/** An MP4 whose sound comes first, so that it has to be kept until its index comes. */
const MP4 = Buffer.from('\0\0\0\x10ftypM4A \0\0\0\0\0\0\0\0mdat', 'latin1');

it.each(['/nowhere/at/all', process.execPath])('a stream that %s cannot keep', async (folder) => {
  vi.stubEnv('TMPDIR', folder);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield MP4;
  }
  await expect(decodeFile(pieces())).rejects.toMatchObject({
    code: 'spool_failed',
    message:
      'The temporary folder cannot be written to; set TMPDIR to one that can, or give the path of the file instead.',
  });
});

it.each([
  ['ENOSPC', /^The temporary folder has no room for this stream; make some, set TMPDIR/],
  ['EDQUOT', /^The temporary folder has no room for this stream; make some, set TMPDIR/],
  ['EACCES', /^The temporary folder cannot be written to; set TMPDIR/],
  ['EROFS', /^The temporary folder cannot be written to; set TMPDIR/],
])('a stream that is refused with %s', (code, sentence) => {
  const cause = Object.assign(new Error('no'), { code });
  expect(spoolError(cause)).toMatchObject({
    code: 'spool_failed',
    message: expect.stringMatching(sentence),
    cause,
  });
});
