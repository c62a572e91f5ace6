import type { Output } from '../context.js';
import { oneLine } from './screened.js';
import { wrap } from './width.js';

/** With less room than this beside what stands in front, text goes below it. */
const BESIDE_CELLS_MIN = 20;
const BELOW_INDENT_CELLS = 4;

/**
 * `text` as it follows something `headCells` wide on the same line: in a terminal broken between words, each row
 * below the first; where too little room is left, all of it in rows of its own. Unbroken where nobody looks. Its own line
 * breaks are spaces.
 */
export function beside(headCells: number, text: string, output: Output): string {
  const line = oneLine(text);
  if (!output.isTerminal) return line;
  const cells = output.columns() - 1;
  const isBelow = cells - headCells < BESIDE_CELLS_MIN;
  const indent = isBelow ? BELOW_INDENT_CELLS : headCells;
  const rows = wrap(line, Math.max(BESIDE_CELLS_MIN, cells - indent));
  const joined = rows.join(`\n${' '.repeat(indent)}`);
  return isBelow && (rows.length > 1 || cells - headCells < (rows[0] ?? '').length)
    ? `\n${' '.repeat(indent)}${joined}`
    : joined;
}

/** Writes a line for people, as `folded`; its newline is added. */
export function remark(line: string, output: Output): void {
  output.write(`${folded(line, output)}\n`);
}

/** A whole line as `beside` breaks it: its rows begin where it begins. */
export function folded(line: string, output: Output): string {
  const indent = line.length - line.trimStart().length;
  return line.slice(0, indent) + beside(indent, line.slice(indent), output);
}
