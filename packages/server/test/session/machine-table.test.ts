import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TABLE } from '../../src/session/machine.js';
import type { Input, State } from '../../src/session/state.js';
import { inState, SAMPLE_INPUTS } from './machine-harness.js';

/** The table of the file's header: state → input → what the cell says. */
function documentedTable(): Map<string, Map<string, string>> {
  const source = readFileSync(new URL('../../src/session/machine.ts', import.meta.url), 'utf8');
  const rows = source
    .split('\n')
    .filter((line) => line.startsWith(' * |') && !line.includes('---'))
    .map((line) =>
      line
        .slice(4, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const [header = [], ...body] = rows;
  return new Map(
    body.map(([state = '', ...cells]) => [
      state,
      new Map(cells.map((cell, column) => [header[column + 1] ?? '', cell])),
    ]),
  );
}

describe('the table of the session machine', () => {
  it('documents every state and every input, and nothing else', () => {
    const documented = documentedTable();
    expect([...documented.keys()]).toEqual(Object.keys(TABLE));
    for (const [state, row] of Object.entries(TABLE)) {
      expect([...(documented.get(state)?.keys() ?? [])], state).toEqual(Object.keys(row));
    }
  });

  it('has a state for every row of it', () => {
    for (const type of Object.keys(TABLE) as State['type'][]) expect(inState(type).state.type).toBe(type);
  });

  it('changes nothing exactly where it says `ignore`', () => {
    for (const [type, row] of documentedTable()) {
      for (const [name, cell] of row) {
        const session = inState(type as State['type']);
        const before = session.state;
        const effects = session.feed(SAMPLE_INPUTS[name as Input['type']]);
        const isIgnored = session.state === before && effects.length === 0;
        // An `end` with nothing to end is the one that is ignored by its footnote.
        expect(isIgnored || cell.startsWith('mark'), `${type} ${name}`).toBe(
          cell === 'ignore' || cell.startsWith('mark'),
        );
      }
    }
  });
});
