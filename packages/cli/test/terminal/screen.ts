/** A terminal just good enough to see what our escapes leave on it: text, newline, return, up, erase to end. */
export class Screen {
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(text: string) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is read here
    for (const [piece] of text.matchAll(/\x1b\[([?0-9;]*)([A-Za-z])|[\s\S]/gu)) this.#take(piece);
  }

  /** Rows from the top, without spaces at their ends and without empty rows at the bottom. */
  rows(): string[] {
    const rows = this.#rows.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    while (rows.length > 0 && rows.at(-1) === '') rows.pop();
    return rows;
  }

  #take(piece: string): void {
    if (piece.startsWith('\x1b[')) {
      this.#escape(piece.slice(2, -1), piece.at(-1) ?? '');
    } else if (piece === '\n') {
      this.#row += 1;
      this.#column = 0;
      while (this.#rows.length <= this.#row) this.#rows.push([]);
    } else if (piece === '\r') {
      this.#column = 0;
    } else {
      const cells = this.#rows[this.#row] ?? [];
      cells[this.#column] = piece;
      this.#column += 1;
    }
  }

  #escape(parameters: string, letter: string): void {
    const cells = this.#rows[this.#row] ?? [];
    if (letter === 'A') this.#row = Math.max(0, this.#row - Number(parameters || '1'));
    else if (letter === 'K') cells.length = Math.min(cells.length, this.#column);
    else if (letter === 'J') {
      cells.length = Math.min(cells.length, this.#column);
      this.#rows.length = this.#row + 1;
    } else if (letter !== 'm' && !parameters.startsWith('?')) throw new Error(`unknown escape ${letter}`);
  }
}
