import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ManualClock } from '@kikitori/core/manual-clock';
import { expect, it } from 'vitest';
import { readUploadForm } from '../src/http/upload-form.js';
import { HTTP_LIMITS } from '../src/limits.js';

it('a form at which the parser loses its way is over in time', async () => {
  // A long part that is no part of a form: the parser wants to be asked for it, by nobody.
  const lost = `--edge\r\nContent-Disposition: x\r\n\r\n${'x'.repeat(200_000)}`;
  const request = Readable.from([Buffer.from(lost), Buffer.from(`${'x'.repeat(50_000)}\r\n--edge--\r\n`)]);
  const heads = { headers: { 'content-type': 'multipart/form-data; boundary=edge' }, complete: true };
  const clock = new ManualClock();
  // The cast: nothing else of a request is looked at.
  const form = readUploadForm(Object.assign(request, heads) as unknown as IncomingMessage, {
    limits: HTTP_LIMITS,
    clock,
    signal: new AbortController().signal,
  });
  const isOver = form.fields.then(
    () => 'read',
    (error: unknown) => error,
  );
  await new Promise((resolve) => request.once('pause', resolve));
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(HTTP_LIMITS.bodyStallMs);
  }
  expect(await Promise.race([isOver, 'still read'])).toMatchObject({ answer: { status: 400 } });
  await form.close();
});
