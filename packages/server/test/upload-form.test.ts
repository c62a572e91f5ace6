import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { CLIENT_LEFT } from '../src/errors.js';
import { readUploadForm, type UploadForm } from '../src/http/upload-form.js';
import { HTTP_LIMITS } from '../src/limits.js';

/** A form of which nobody said before how long it is. */
function formOf(body: Readable, { isWhole = true, clock = new ManualClock() } = {}): UploadForm {
  const heads = { headers: { 'content-type': 'multipart/form-data; boundary=edge' }, complete: isWhole };
  // The cast: nothing else of a request is looked at.
  return readUploadForm(Object.assign(body, heads) as unknown as IncomingMessage, {
    limits: HTTP_LIMITS,
    clock,
    signal: new AbortController().signal,
  });
}

function* parts(count: number, part: string, content = ''): Generator<string> {
  for (let at = 0; at < count; at += 1) yield `--edge\r\n${part}\r\n\r\n${content}\r\n`;
  yield '--edge--\r\n';
}

const FIELD = 'Content-Disposition: form-data; name="model"';
const NAMELESS = 'X-Nothing: here';

describe('a form', () => {
  const MIB = 'x'.repeat(1024 * 1024);
  const { fieldsMax, filesMax, formBytesMax } = HTTP_LIMITS;
  it.each([
    ['too many fields', parts(fieldsMax + 1, FIELD), /too many parts/],
    [
      'too many parts that are none of its kinds',
      parts(fieldsMax + filesMax + 1, NAMELESS),
      /too many parts/,
    ],
    ['too many bytes that are in no file', parts(formBytesMax / MIB.length, NAMELESS, MIB), /too large/],
  ])('of %s is refused, though it was not announced', async (_what, pieces, message) => {
    const form = formOf(Readable.from(Array.from(pieces, (piece) => Buffer.from(piece))));
    const answer = { status: 400, message: expect.stringMatching(message) };
    await expect(form.fields).rejects.toMatchObject({ answer });
    await form.close();
  });

  it('whose sender is gone before its end is over', async () => {
    const body = new Readable({ read: () => undefined });
    body.push(`--edge\r\n${FIELD}`);
    const form = formOf(body, { isWhole: false });
    body.destroy();
    await expect(form.fields).rejects.toMatchObject({ answer: { status: CLIENT_LEFT } });
    await form.close();
  });
});

it('a form at which the parser loses its way is over in time', async () => {
  // A long part that is no part of a form: the parser wants to be asked for it, by nobody.
  const lost = `--edge\r\nContent-Disposition: x\r\n\r\n${'x'.repeat(200_000)}`;
  const request = Readable.from([Buffer.from(lost), Buffer.from(`${'x'.repeat(50_000)}\r\n--edge--\r\n`)]);
  const clock = new ManualClock();
  const form = formOf(request, { clock });
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
