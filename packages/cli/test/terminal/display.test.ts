import { systemClock } from '@kikitori/core';
import { describe, expect, it } from 'vitest';
import { checkRows } from '../../src/aws/plan-report.js';
import { createDisplay } from '../../src/terminal/display.js';
import { MemoryOutput } from '../memory-context.js';
import { Screen } from './screen.js';

const CHECK = {
  name: 'quota',
  state: 'missing',
  text: 'ml.c5.xlarge for endpoint usage: 0, needed 1',
  remedy: 'Ask for more: aws service-quotas request-service-quota-increase (hours to days).',
} as const;

/** What a terminal of that width shows of a check and a remark behind it. */
function shown(width: number): string[] {
  const stderr = new MemoryOutput(true);
  stderr.width = width;
  const display = createDisplay({ stdout: new MemoryOutput(false), stderr, env: {}, clock: systemClock });
  display.rows(checkRows(CHECK, display.style, stderr));
  display.note('The checks above say what is missing, and how to get it.');
  display.close();
  return new Screen(stderr.text).rows();
}

describe('Display', () => {
  it('leaves rows that were laid out as they are, colours too, and breaks remarks', () => {
    expect(shown(60)).toEqual([
      'missing  quota       ml.c5.xlarge for endpoint usage: 0,',
      '                     needed 1',
      '                     Ask for more: aws service-quotas',
      '                     request-service-quota-increase (hours',
      '                     to days).',
      'The checks above say what is missing, and how to get it.',
    ]);
    expect(shown(40).at(-1)).toBe('and how to get it.');
  });
});
