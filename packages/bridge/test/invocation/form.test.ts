/** What is sent around a file, in the eyes of a reader of another make. */
import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsOf, frameFile } from '../../src/invocation/form.js';

const requestOf = (query: string, attributes?: string): IncomingMessage =>
  // All that is read of it.
  ({
    url: `/invocations${query}`,
    headers: attributes === undefined ? {} : { 'x-amzn-sagemaker-custom-attributes': attributes },
  }) as Partial<IncomingMessage> as IncomingMessage;

describe('the form around a file', () => {
  it('holds any fields and any bytes as they were', async () => {
    // What stands for a sign in a name cannot be told from that sign, in no form.
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[%\r]/.test(text));
    const text = fc.string({ unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, text), { maxLength: 5 }),
        fc.uint8Array({ maxLength: 200 }),
        async (pairs, file) => {
          const query = `?${new URLSearchParams(pairs)}`;
          const wanted = pairs.filter(([key]) => key !== 'file' && key !== 'route');
          const { head, tail, contentType } = frameFile(fieldsOf(requestOf(query)), 'audio/wav');
          const body = new Uint8Array(Buffer.concat([head, file, tail]));
          const form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
          const found = [...form].filter(([key]) => key !== 'file');
          expect(found.sort()).toEqual(wanted.sort());
          const kept = form.get('file');
          if (!(kept instanceof File)) throw new Error('there is no file');
          expect(new Uint8Array(await kept.arrayBuffer())).toEqual(file);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is announced with a boundary of its own, each time another', () => {
    const [one, other] = [frameFile(new Map(), undefined), frameFile(new Map(), undefined)];
    expect(one.contentType).toMatch(/^multipart\/form-data; boundary=kikitori-[\da-f]{32}$/);
    expect(one.contentType).not.toBe(other.contentType);
  });

  it('has the fields of query and custom attributes, in that order', () => {
    const fields = fieldsOf(requestOf('?language=en&x=1', 'language=de&y=a+b'));
    expect([...fields]).toEqual([
      ['language', ['en', 'de']],
      ['x', ['1']],
      ['y', ['a b']],
    ]);
  });
});
