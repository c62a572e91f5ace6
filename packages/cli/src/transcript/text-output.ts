import type { Context } from '../context.js';
import type { Display } from '../terminal/display.js';
import { oneLine } from '../terminal/screened.js';
import { widthOf, wrap } from '../terminal/width.js';
import type { TranscriptOutput } from './output.js';

/**
 * Words as they come, one line per utterance.
 *
 * On a terminal with live rows the running row is drawn by the display and handed to stdout once it is full or its
 * utterance has ended; anywhere else every word is written the moment it comes, in a terminal on the next row where it would not fit.
 */
export function textOutput(context: Pick<Context, 'stdout'>, display: Display): TranscriptOutput {
  const { stdout } = context;
  const cells = (): number => Math.max(10, stdout.columns() - 1);
  if (display.isLive && stdout.isTerminal) return rowsOf(display, cells);
  return wordsOf(display, stdout.isTerminal ? cells : () => Number.POSITIVE_INFINITY);
}

function wordsOf(display: Display, cells: () => number): TranscriptOutput {
  let line = '';
  let usedCells = 0;
  let partial = '';
  /** In a terminal a word that does not fit begins the next row. */
  const broken = (text: string): string =>
    text
      .split(/(?= )/)
      .map((word) => {
        usedCells += widthOf(word);
        if (usedCells <= cells() || !word.startsWith(' ')) return word;
        usedCells = widthOf(word) - 1;
        return `\n${word.slice(1)}`;
      })
      .join('');
  const endLine = (): void => {
    if (line !== '') display.print('\n');
    line = '';
    usedCells = 0;
    display.tail('', '');
  };
  return {
    change(change) {
      if (change.type === 'utterance') {
        endLine();
        return;
      }
      if (change.type === 'delta') {
        const said = oneLine(change.text);
        const text = line === '' ? said.trimStart() : said;
        line += text;
        partial = '';
        display.print(broken(text));
      } else {
        partial = change.text;
      }
      display.tail(line, partial);
    },
    end: endLine,
  };
}

function rowsOf(display: Display, cells: () => number): TranscriptOutput {
  let row = '';
  let partial = '';
  const endRow = (): void => {
    const text = row.trim();
    row = '';
    partial = '';
    if (text !== '') display.print(`${text}\n`);
    display.tail('', '');
  };
  return {
    change(change) {
      if (change.type === 'utterance') {
        endRow();
        return;
      }
      if (change.type === 'delta') {
        partial = '';
        const rows = wrap(row + oneLine(change.text), cells());
        // A space at the end may be the next word's: `wrap` drops it, so it is kept here.
        row = `${rows.pop() ?? ''}${/\s$/.test(change.text) ? ' ' : ''}`;
        display.tail(row, partial);
        if (rows.length > 0) display.print(`${rows.join('\n')}\n`);
      } else {
        partial = change.text;
      }
      display.tail(row, partial);
    },
    end: endRow,
  };
}
