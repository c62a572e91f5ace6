import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fields, MessageWriter } from '../../src/onnx/protobuf.js';

describe('the wire format', () => {
  it('reads back what it wrote', () => {
    const field = fc.oneof(
      fc.record({ number: fc.integer({ min: 1, max: 5000 }), value: fc.integer({ min: 0, max: 2 ** 40 }) }),
      fc.record({ number: fc.integer({ min: 1, max: 5000 }), data: fc.uint8Array({ maxLength: 300 }) }),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (list) => {
        const writer = new MessageWriter();
        for (const item of list) {
          if ('value' in item) writer.integer(item.number, item.value);
          else writer.bytes(item.number, Buffer.from(item.data));
        }
        const read = [...fields(writer.finish())].map(({ number, value, data }) => ({
          number,
          value,
          data: [...data],
        }));
        const expected = list.map((item) =>
          'value' in item
            ? { number: item.number, value: item.value, data: [] }
            : { number: item.number, value: 0, data: [...item.data] },
        );
        expect(read).toEqual(expected);
      }),
    );
  });

  it('carries fields over byte for byte, fixed-width ones too', () => {
    const message = Buffer.from([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 9, 9, 9, 9, 0x1a, 2, 65, 66]);
    expect(Buffer.concat([...fields(message)].map(({ raw }) => raw))).toEqual(message);
  });

  it('throws RangeError wherever the bytes are cut, and never reads beyond them', () => {
    const message = new MessageWriter().integer(3, 300).text(7, 'kikitori').finish();
    for (let length = 1; length < message.length; length += 1) {
      const cut = message.subarray(0, length);
      const boundary = length === 3; // Exactly behind the first field.
      if (boundary) expect([...fields(cut)]).toHaveLength(1);
      else expect(() => [...fields(cut)]).toThrow(RangeError);
    }
  });
});
