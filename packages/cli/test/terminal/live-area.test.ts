import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { LiveArea } from '../../src/terminal/live-area.js';
import { MemoryOutput } from '../memory-context.js';
import { Screen } from './screen.js';

function area(rows: () => readonly string[]) {
  const clock = new ManualClock();
  const output = new MemoryOutput(true);
  return { clock, output, live: new LiveArea(output, clock, rows) };
}

describe('LiveArea', () => {
  it('draws its rows over and over in the same place', () => {
    let count = 0;
    const { clock, output, live } = area(() => [`row ${count}`, 'status']);
    for (count = 1; count <= 5; count++) {
      live.refresh();
      clock.advance(100);
    }
    expect(new Screen(output.text).rows()).toEqual(['row 5', 'status']);
  });

  it('leaves nothing of rows that became shorter or fewer', () => {
    let rows: readonly string[] = ['a long first row', 'second'];
    const { clock, output, live } = area(() => rows);
    live.refresh();
    clock.advance(100);
    rows = ['short', 'second'];
    live.refresh();
    expect(new Screen(output.text).rows()).toEqual(['short', 'second']);
    clock.advance(100);
    rows = ['one'];
    live.refresh();
    expect(new Screen(output.text).rows()).toEqual(['one']);
  });

  it('puts redraws together that come faster than the eye', () => {
    let drawn = 0;
    const { clock, live } = area(() => {
      drawn += 1;
      return ['x'];
    });
    for (let i = 0; i < 100; i++) live.refresh();
    expect(drawn).toBe(1);
    clock.advance(1_000);
    expect(drawn).toBe(2);
  });

  it('lets finished lines scroll away above its rows', () => {
    const { output, live } = area(() => ['tail', 'status']);
    live.refresh();
    live.above(() => output.write('first line\n'));
    live.above(() => output.write('second line\n'));
    expect(new Screen(output.text).rows()).toEqual(['first line', 'second line', 'tail', 'status']);
  });

  it('never clears the rows before it draws them again, so that nothing flickers', () => {
    const { clock, output, live } = area(() => ['tail', 'status']);
    live.refresh();
    output.text = '';
    clock.advance(100);
    live.refresh();
    expect(output.text.indexOf('\x1b[J')).toBeGreaterThan(output.text.indexOf('status'));
    expect(output.text).not.toContain('\x1b[2K');
  });

  it('takes its rows away at the end, gives the cursor back and draws no more', () => {
    const { clock, output, live } = area(() => ['status']);
    live.refresh();
    live.refresh();
    live.close();
    live.close();
    clock.advance(1_000);
    live.refresh();
    live.above(() => output.write('after\n'));
    expect(new Screen(output.text).rows()).toEqual(['after']);
    expect(output.text.split('\x1b[?25h')).toHaveLength(2);
  });
});
