import type { Clock } from '@kikitori/core';
import type { Output } from '../context.js';
import { own } from './screened.js';

/** Redraws closer together than this are put together: more cannot be read, and costs the terminal. */
const REDRAW_MS_MIN = 60;

// Synchronized output (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036): terminals that know
// it show no state in between; the others ignore it.
const BEGIN = own('\x1b[?2026h');
const END = own('\x1b[?2026l');
const HIDE_CURSOR = own('\x1b[?25l');
const SHOW_CURSOR = own('\x1b[?25h');
const ERASE_BELOW = own('\x1b[J');
const ERASE_ROW_END = own('\x1b[K');

/**
 * A few rows at the bottom of a terminal that are drawn over and over, while finished lines scroll away above them.
 * Nothing is cleared before it is drawn again, so nothing flickers. Rows must fit the width: the caller cuts them.
 */
export class LiveArea {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #rows: () => readonly string[];
  #drawnRows = 0;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  /** `rows` is asked at each redraw. */
  constructor(output: Output, clock: Clock, rows: () => readonly string[]) {
    this.#output = output;
    this.#clock = clock;
    this.#rows = rows;
  }

  /** Something changed: redraws now, or soon if it was drawn a moment ago. */
  refresh(): void {
    if (this.#isClosed || this.#cancel !== undefined) return;
    const waitMs = this.#drawnAtMs + REDRAW_MS_MIN - this.#clock.nowMs();
    if (waitMs <= 0) {
      this.#draw();
      return;
    }
    this.#cancel = this.#clock.after(waitMs, () => {
      this.#cancel = undefined;
      this.#draw();
    });
  }

  /** Lets `write` put whole lines above the rows. It may use another output on the same terminal. */
  above(write: () => void): void {
    if (this.#isClosed) {
      write();
      return;
    }
    this.#output.write(`${BEGIN}${this.#erased()}`);
    this.#drawnRows = 0;
    write();
    this.#draw();
    this.#output.write(END);
  }

  /** Removes the rows and gives the cursor back. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel?.();
    this.#output.write(`${this.#erased()}${SHOW_CURSOR}`);
    this.#drawnRows = 0;
  }

  #erased(): string {
    return this.#drawnRows === 0 ? '' : `${this.#home()}${ERASE_BELOW}`;
  }

  /** To the first cell of the first row. */
  #home(): string {
    const up = this.#drawnRows > 1 ? own(`\x1b[${this.#drawnRows - 1}A`) : '';
    return up + own('\r');
  }

  #draw(): void {
    if (this.#isClosed) return;
    this.#drawnAtMs = this.#clock.nowMs();
    const rows = this.#rows();
    const drawn = rows.map((row) => `${row}${ERASE_ROW_END}`).join('\n');
    this.#output.write(`${BEGIN}${HIDE_CURSOR}${this.#home()}${drawn}${ERASE_BELOW}${END}`);
    this.#drawnRows = rows.length;
  }
}
