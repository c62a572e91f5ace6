/** How many cells text takes in a terminal, and how to cut it so that it fits. Text here holds no escapes. */

const MARK = /\p{Mn}|\p{Me}|\p{Cf}/u;
/** What turns the direction of text is drawn as one cell: see `screened`. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/u;

/** Ranges that terminals draw two cells wide: East Asian Wide and Fullwidth (Unicode UAX 11) and emoji, coarsely. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

function cellsOf(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x300) return 1;
  if (MARK.test(character)) return TURNS.test(character) ? 1 : 0;
  return WIDE.some(([from, to]) => point >= from && point <= to) ? 2 : 1;
}

/** Cells that `text` takes on one row. */
export function widthOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

/** The longest beginning of `text` that takes at most `cells`. */
export function headOf(text: string, cells: number): string {
  let used = 0;
  let head = '';
  for (const character of text) {
    used += cellsOf(character);
    if (used > cells) break;
    head += character;
  }
  return head;
}

/** Rows of at most `cells`, broken at spaces; a word longer than a row is cut. The last row may be empty. */
export function wrap(text: string, cells: number): string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const joined = row === '' ? word : `${row} ${word}`;
    if (widthOf(joined) <= cells) {
      row = joined;
      continue;
    }
    if (row !== '') rows.push(row);
    row = word;
    while (widthOf(row) > cells) {
      const head = headOf(row, cells) || row.slice(0, 2);
      rows.push(head);
      row = row.slice(head.length);
    }
  }
  rows.push(row);
  return rows;
}
