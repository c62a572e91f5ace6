import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { WaitingRow } from '../../src/terminal/waiting-row.js';
import { memoryContext } from '../memory-context.js';
import { Screen } from './screen.js';

describe('WaitingRow', () => {
  it('shows for how long, and what is said meanwhile, in one row that goes', () => {
    const clock = new ManualClock();
    const context = memoryContext({ clock, stderrIsTerminal: true, stdoutIsTerminal: true });
    const row = new WaitingRow('Loading the model', context, () => `half of it ${'x'.repeat(200)}`);
    clock.advance(61_000);
    const [shown = ''] = new Screen(context.stderr.text).rows();
    expect(shown).toMatch(/^Loading the model… 1:01 {2}half of it x+/);
    expect(shown.length).toBeLessThan(80);
    row.close();
    expect(new Screen(context.stderr.text).rows()).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('says it in a line now and then where nobody sees a row', () => {
    const clock = new ManualClock();
    const context = memoryContext({ clock });
    const row = new WaitingRow('Loading the model', context);
    clock.advance(29_000);
    expect(context.stderr.text).toBe('');
    clock.advance(32_000);
    expect(context.stderr.text).toBe(
      'Loading the model, for 0:30 so far…\nLoading the model, for 1:00 so far…\n',
    );
    row.close();
  });
});
