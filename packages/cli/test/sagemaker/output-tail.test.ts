import { describe, expect, it } from 'vitest';
import { MODEL_OUTPUT_LINE_CHARS_MAX, MODEL_OUTPUT_LINES_MAX } from '../../src/limits.js';
import { OutputTail } from '../../src/sagemaker/output-tail.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('OutputTail', () => {
  it('tells lines once they are whole, however they come, and takes a bar that is drawn over apart', () => {
    const tail = new OutputTail();
    const euro = bytes('10 €\n');
    expect(tail.take(euro.subarray(0, 4))).toEqual([]);
    expect(tail.take(euro.subarray(4))).toEqual(['10 €']);
    expect(tail.take(bytes('10 %\r50 %\r\nloaded\n\n'))).toEqual(['10 %', '50 %', 'loaded', '']);
    expect(tail.last).toBe('loaded');
  });

  it('keeps the last lines, and of each no more than its bound', () => {
    const tail = new OutputTail();
    for (let index = 0; index < 100; index += 1) tail.take(bytes(`line ${index}\n`));
    expect(tail.lines).toHaveLength(MODEL_OUTPUT_LINES_MAX);
    expect(tail.lines[0]).toBe(`line ${100 - MODEL_OUTPUT_LINES_MAX}`);
    for (let index = 0; index < 100; index += 1) tail.take(bytes('x'.repeat(1_000)));
    tail.take(bytes('\n'));
    expect(tail.last).toHaveLength(MODEL_OUTPUT_LINE_CHARS_MAX);
  });
});
