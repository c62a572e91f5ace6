import type { Context } from '../context.js';
import type { Display } from '../terminal/display.js';
import { oneLine } from '../terminal/screened.js';
import { wrap } from '../terminal/width.js';
import type { TranscriptOutput } from './output.js';

/**
 * Words as they come, one line per utterance.
 *
 * On a terminal with live rows the running row is drawn by the display and handed to stdout once it is full or its
 * utterance has ended; anywhere else every word is written the moment it comes.
 */
export function textOutput(context: Pick<Context, 'stdout'>, display: Display): TranscriptOutput {
  return display.isLive && context.stdout.isTerminal
    ? rowsOf(display, () => Math.max(10, context.stdout.columns() - 1))
    : wordsOf(display);
}

function wordsOf(display: Display): TranscriptOutput {
  let line = '';
  let partial = '';
  const endLine = (): void => {
    if (line !== '') display.print('\n');
    line = '';
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
        display.print(text);
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
