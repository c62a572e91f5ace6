import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCloseText, parseCloseText } from '../../src/event-stream/close-text.js';

describe('the words for a WebSocket close', () => {
  it('say code and reason, whatever the reason', () => {
    const code = fc.oneof(fc.integer({ min: 1000, max: 1015 }), fc.integer({ min: 3000, max: 4999 }));
    const reason = fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.trim());
    fc.assert(
      fc.property(code, reason, (closeCode, closeReason) => {
        const close = { code: closeCode, reason: closeReason };
        expect(parseCloseText(formatCloseText(close))).toEqual(close);
      }),
    );
  });

  it('are found in other words too, and not where there are none', () => {
    expect(parseCloseText('Model closed the stream. Status code: 1011, reason: out of memory')).toEqual({
      code: 1011,
      reason: 'reason: out of memory',
    });
    expect(parseCloseText('status 4001 (bye)')).toEqual({ code: 4001, reason: 'bye)' });
    for (const text of [
      '',
      'An error occurred',
      'failed after 1500 ms',
      'code 12345',
      'code 2000',
      'Input stream broken',
    ]) {
      expect(parseCloseText(text)).toBe(undefined);
    }
  });
});
