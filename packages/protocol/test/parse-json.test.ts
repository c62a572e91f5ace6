import { expect, it } from 'vitest';
import { JSON_DEPTH_MAX, JSON_VALUES_MAX, ProtocolError } from '../src/index.js';
import { parseJson } from '../src/parse-json.js';

function outcome(text: string): string {
  try {
    parseJson(text);
    return 'parsed';
  } catch (error) {
    return error instanceof ProtocolError ? error.code : `threw ${String(error)}`;
  }
}

/** With siblings on every level, so that the count of brackets alone does not settle it. */
function nested(depth: number): string {
  return `${'[0,'.repeat(depth - 1)}[${']'.repeat(depth)}`;
}

/** A list of so many values: one bracket and the commas. */
function wide(values: number): string {
  return `[0${',0'.repeat(values - 1)}]`;
}

it('takes the deepest nesting that is allowed and refuses one more', () => {
  expect(
    [JSON_DEPTH_MAX - 1, JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1].map((depth) => outcome(nested(depth))),
  ).toEqual(['parsed', 'parsed', 'processing_error']);
});

it('takes the most values that are allowed and refuses one more', () => {
  expect(
    [JSON_VALUES_MAX - 1, JSON_VALUES_MAX, JSON_VALUES_MAX + 1].map((values) => outcome(wide(values))),
  ).toEqual(['parsed', 'parsed', 'invalid_event']);
});

it('refuses 16 MiB of nothing but structure before decoding it', () => {
  expect(outcome('['.repeat(16_000_000))).toBe('processing_error');
  expect(outcome(`[${'{},'.repeat(5_000_000)}0]`)).toBe('invalid_event');
});

it('does not count brackets and commas inside strings, also behind escaped quotes and backslashes', () => {
  for (const part of ['[', '{', ',', '\\"[', '\\\\\\"{', '\\\\']) {
    expect(outcome(`["${part.repeat(100_000)}"]`)).toBe('parsed');
  }
  expect(outcome(`["\\\\",${nested(JSON_DEPTH_MAX)}]`)).toBe('processing_error');
});

it('does not count siblings as depth', () => {
  expect(outcome(`[${'[],'.repeat(30_000)}0]`)).toBe('parsed');
});

it('keeps what was sent out of the error that may be logged', () => {
  try {
    parseJson('{"secret words');
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({
      code: 'invalid_json',
      message: 'The message is not an event of the dialect: invalid_json.',
    });
    expect(error).not.toHaveProperty('cause');
  }
});
