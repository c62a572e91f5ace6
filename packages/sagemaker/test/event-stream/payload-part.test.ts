import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/event-stream/message.js';
import {
  encodeException,
  encodePart,
  encodePartHeaders,
  readStreamEvent,
} from '../../src/event-stream/payload-part.js';

const partHeaders = fc.record({
  dataType: fc.constantFrom('UTF8' as const, 'BINARY' as const, undefined),
  completionState: fc.constantFrom('PARTIAL' as const, 'COMPLETE' as const, undefined),
  padding: fc.option(fc.string({ unit: 'binary', maxLength: 50 }), { nil: undefined }),
});

describe('a part', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(partHeaders, fc.uint8Array({ maxLength: 100 }), (headers, payload) => {
        const decoded = decodeMessage(encodePart(headers, payload));
        expect(readStreamEvent(decoded.headers)).toEqual({ kind: 'part', headers });
        expect([...decoded.payload]).toEqual([...payload]);
      }),
    );
  });

  it('reads a value that the model does not know as absent', () => {
    const headers = new Map(
      Object.entries({
        ':message-type': 'event',
        ':event-type': 'PayloadPart',
        DataType: 'UTF16',
        CompletionState: 'HALF',
      }).map(([name, value]) => [name, { type: 'string', value }] as const),
    );
    expect(readStreamEvent(headers)).toEqual({
      kind: 'part',
      headers: { dataType: undefined, completionState: undefined, padding: undefined },
    });
    expect(readStreamEvent(new Map([[':message-type', { type: 'integer', value: 1 }]]))).toEqual({
      kind: 'unknown',
    });
  });

  it('has no padding above the bound of a header', () => {
    expect(() => encodePartHeaders({ padding: 'p'.repeat(32_768) })).toThrow(RangeError);
  });
});

describe('an exception', () => {
  it('carries its name in a header and its members as JSON', () => {
    const { headers, payload } = decodeMessage(
      encodeException('ModelStreamError', { Message: 'ä', ErrorCode: 'x' }),
    );
    expect(readStreamEvent(headers)).toEqual({
      kind: 'exception',
      name: 'ModelStreamError',
      text: undefined,
    });
    expect(Buffer.from(payload).toString('utf8')).toBe('{"Message":"ä","ErrorCode":"x"}');
  });
});
