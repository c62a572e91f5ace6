import { describe, expect, it } from 'vitest';
import { beside, folded } from '../../src/terminal/beside.js';
import { MemoryOutput } from '../memory-context.js';

const TEXT = 'Only "kikitori listen" needs one; files and pipes work without.';

function terminal(width: number): MemoryOutput {
  const output = new MemoryOutput(true);
  output.width = width;
  return output;
}

describe('beside', () => {
  it('breaks nothing where nobody looks, or where there is room', () => {
    expect(beside(18, TEXT, new MemoryOutput(false))).toBe(TEXT);
    expect(beside(18, TEXT, terminal(120))).toBe(TEXT);
  });

  it('breaks between words, each row below the first', () => {
    expect(beside(18, TEXT, terminal(50))).toBe(
      ['Only "kikitori listen" needs', 'one; files and pipes work', 'without.'].join(`\n${' '.repeat(18)}`),
    );
  });

  it('goes below where too little room is left', () => {
    expect(beside(33, TEXT, terminal(40))).toBe(
      '\n    Only "kikitori listen" needs one;\n    files and pipes work without.',
    );
    expect(beside(33, 'MIT', terminal(40))).toBe('MIT');
  });
});

describe('folded', () => {
  it('begins each row where the line begins', () => {
    expect(folded(`  ${TEXT}`, terminal(34))).toBe(
      '  Only "kikitori listen" needs\n  one; files and pipes work\n  without.',
    );
    expect(folded(`  ${TEXT}`, new MemoryOutput(false))).toBe(`  ${TEXT}`);
  });
});
