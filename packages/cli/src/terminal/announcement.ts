import type { Environment, Output } from '../context.js';
import { beside } from './beside.js';
import { oneLine } from './screened.js';
import { styleFor } from './style.js';

/** One line of an announcement. */
export interface Announced {
  readonly label: string;
  /** What a person may copy: an address, a command. */
  readonly value: string;
  /** What it is, behind it. */
  readonly note?: string;
  /** Not an address: shown as it is. */
  readonly isPlain?: boolean;
}

/** Says on stdout what runs and where: a title, then one line each, labels in a column of their own. */
export function announce(
  title: readonly [bold: string, rest: string],
  lines: readonly Announced[],
  { stdout, env }: { readonly stdout: Output; readonly env: Environment },
): void {
  // Nobody is there to be told; the work is done all the same.
  if (stdout.reader === 'closed') return;
  const style = styleFor(stdout, env);
  const labelCells = Math.max(...lines.map(({ label }) => label.length));
  const indent = labelCells + 4;
  const whole = beside(0, title.join(''), stdout);
  stdout.write(`${style.bold(whole.slice(0, title[0].length))}${whole.slice(title[0].length)}\n`);
  for (const { label, value: given, note, isPlain } of lines) {
    const value = oneLine(given);
    // Below the label before it is broken in the middle: an address is copied whole.
    const isBelow = stdout.isTerminal && indent + value.length >= stdout.columns();
    const head = isBelow ? `  ${label}\n    ` : `  ${label.padEnd(labelCells)}  `;
    stdout.write(`${head}${isPlain === true ? value : style.cyan(value)}`);
    if (note !== undefined) {
      const fits = !stdout.isTerminal || indent + value.length + 2 + note.length < stdout.columns();
      stdout.write(fits ? '  ' : `\n${' '.repeat(indent)}`);
      stdout.write(style.dim(fits ? oneLine(note) : beside(indent, note, stdout)));
    }
    stdout.write('\n');
  }
}
