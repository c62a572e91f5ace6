import { expect, it } from 'vitest';
import { announce } from '../../src/terminal/announcement.js';
import { MemoryOutput } from '../memory-context.js';
import { Screen } from './screen.js';

function announced(output: MemoryOutput): string[] {
  const lines = [{ label: 'Realtime', value: 'ws://127.0.0.1:18733/v1/realtime' }];
  announce(['Kikitori', ' is ready: hears English, 10 speakers at once'], lines, { stdout: output, env: {} });
  return new Screen(output.text).rows();
}

it('is broken between words, and at no address, in a narrow terminal', () => {
  const output = new MemoryOutput(true);
  output.width = 40;
  expect(announced(output)).toEqual([
    'Kikitori is ready: hears English, 10',
    'speakers at once',
    '  Realtime',
    '    ws://127.0.0.1:18733/v1/realtime',
  ]);
});

it('is a line each where nobody looks', () => {
  expect(announced(new MemoryOutput(false))).toEqual([
    'Kikitori is ready: hears English, 10 speakers at once',
    '  Realtime  ws://127.0.0.1:18733/v1/realtime',
  ]);
});

it('is not made where stdout is closed: the work is done all the same', () => {
  const output = new MemoryOutput(false);
  output.reader = 'closed';
  expect(announced(output)).toEqual([]);
});
