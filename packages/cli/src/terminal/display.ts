import type { Clock } from '@kikitori/core';
import type { Context, Output } from '../context.js';
import { remark } from './beside.js';
import { LiveArea } from './live-area.js';
import { oneLine } from './screened.js';
import { type Style, styleFor } from './style.js';
import { headOf, widthOf } from './width.js';

/** What people see while a command runs. Results go to stdout, everything else to stderr. */
export interface Display {
  /** True when rows are drawn over; otherwise `tail` and `status` show nothing. */
  readonly isLive: boolean;
  readonly style: Style;
  /** Result: whole lines (each ending in a newline), to stdout. */
  print(lines: string): void;
  /** Remark: one line without its newline, to stderr; broken to the terminal's width. */
  note(line: string): void;
  /** Rows that were laid out already, without the last newline, to stderr. */
  rows(text: string): void;
  /** The words of the running utterance, and the unstable ones behind them; the end of them is shown. */
  tail(text: string, partial: string): void;
  /** The bottom row; asked for at each redraw with the cells it may take (escapes do not count). */
  status(row: ((cells: number) => string) | undefined): void;
  /** Removes what was drawn over. Idempotent. */
  close(): void;
}

/**
 * A live display when stderr is a terminal, a plain one otherwise; and where stdout goes to another program, which may write to
 * the same terminal (`| tee`, `| less`) and knows nothing of rows that are drawn over.
 */
export function createDisplay(context: Pick<Context, 'stdout' | 'stderr' | 'env' | 'clock'>): Display {
  const style = styleFor(context.stderr, context.env);
  return context.stderr.isTerminal && context.stdout.reader !== 'pipe'
    ? new LiveDisplay(context.stdout, context.stderr, context.clock, style)
    : new PlainDisplay(context.stdout, context.stderr, style);
}

const nothing = (): void => undefined;
const same = (text: string): string => text;

/** Shows nothing: for sessions that are only measured. */
export const silentDisplay: Display = {
  isLive: false,
  style: { dim: same, bold: same, red: same, green: same, yellow: same, cyan: same },
  print: nothing,
  note: nothing,
  rows: nothing,
  tail: nothing,
  status: nothing,
  close: nothing,
};

class PlainDisplay implements Display {
  readonly isLive = false;
  readonly style: Style;
  readonly #stdout: Output;
  readonly #stderr: Output;

  constructor(stdout: Output, stderr: Output, style: Style) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.style = style;
  }

  print(lines: string): void {
    this.#stdout.write(lines);
  }

  note(line: string): void {
    remark(line, this.#stderr);
  }

  rows(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  tail(): void {
    // Nothing is drawn over here.
  }

  status(): void {
    // Nothing is drawn over here.
  }

  close(): void {
    // Nothing was drawn.
  }
}

class LiveDisplay implements Display {
  readonly isLive = true;
  readonly style: Style;
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #area: LiveArea;
  #text = '';
  #partial = '';
  #status: ((cells: number) => string) | undefined;

  constructor(stdout: Output, stderr: Output, clock: Clock, style: Style) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.style = style;
    this.#area = new LiveArea(stderr, clock, () => this.#rows());
  }

  print(lines: string): void {
    // A redirected stdout is not on this screen: the rows may stay.
    if (this.#stdout.isTerminal) this.#area.above(() => this.#stdout.write(lines));
    else this.#stdout.write(lines);
  }

  note(line: string): void {
    this.#area.above(() => remark(line, this.#stderr));
  }

  rows(text: string): void {
    this.#area.above(() => this.#stderr.write(`${text}\n`));
  }

  tail(text: string, partial: string): void {
    this.#text = oneLine(text);
    this.#partial = oneLine(partial);
    this.#area.refresh();
  }

  status(row: ((cells: number) => string) | undefined): void {
    this.#status = row;
    this.#area.refresh();
  }

  close(): void {
    this.#area.close();
  }

  #rows(): string[] {
    // The last column stays free: writing into it makes some terminals wrap.
    const cells = Math.max(10, this.#stderr.columns() - 1);
    const rows: string[] = [];
    if (this.#text !== '' || this.#partial !== '') rows.push(this.#tailRow(cells));
    if (this.#status !== undefined) rows.push(this.#status(cells));
    return rows;
  }

  #tailRow(cells: number): string {
    const text = endOf(this.#text, cells);
    const separator = text === '' || this.#partial === '' ? '' : ' ';
    const partial = headOf(separator + this.#partial, cells - widthOf(text));
    return `${text}${this.style.dim(partial)}`;
  }
}

/** The end of `text` that fits, begun at a word, with a sign that something is missing. */
function endOf(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  const words = text.split(' ');
  let end = '';
  for (let index = words.length - 1; index >= 0; index -= 1) {
    const longer = `${words[index] ?? ''}${end === '' ? '' : ' '}${end}`;
    if (widthOf(longer) > cells - 2) break;
    end = longer;
  }
  return `… ${end}`;
}
