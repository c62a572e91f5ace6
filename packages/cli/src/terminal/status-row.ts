import { clockTime, levelFraction, levelHistory, progressBar, seconds } from './figures.js';
import type { Style } from './style.js';
import { headOf, widthOf } from './width.js';

/** What the bottom row tells while speech is being transcribed. */
export interface SpeechStatus {
  /** Audio sent so far. */
  readonly sentMs: number;
  /** Audio up to which every word has come. */
  readonly doneMs: number;
  /** Length of the whole audio; undefined for a microphone or a pipe. */
  readonly totalMs: number | undefined;
  /** Audio sent but not yet turned into words, where that should be little; undefined when the server does not tell. */
  readonly lagMs: number | undefined;
  /** Audio done per time; undefined while nobody can know. */
  readonly speed: number | undefined;
  /** The latest levels in dB below full scale, oldest first. */
  readonly levelsDb: readonly number[];
}

/** A piece of the row; pieces that do not fit are left out, the last first. */
interface Piece {
  readonly plain: string;
  readonly painted: string;
}

const LEVEL_CELLS = 12;
const LAG_MS_GOOD = 2_000;
const LAG_MS_BAD = 5_000;

/** One row of at most `cells` cells: where we are, how far behind the words are, how loud it is. */
export function speechRow(status: SpeechStatus, cells: number, style: Style): string {
  const pieces: Piece[] = [];
  const add = (plain: string, paint: (text: string) => string = (text) => text): void => {
    pieces.push({ plain, painted: paint(plain) });
  };
  const { totalMs, lagMs } = status;
  if (totalMs === undefined) {
    add(`● ${clockTime(status.sentMs)}`, style.red);
  } else {
    const { doneMs, speed = 0 } = status;
    const fraction = totalMs === 0 ? 1 : doneMs / totalMs;
    const percent = `${Math.min(100, Math.floor(fraction * 100))}`.padStart(3);
    const barCells = Math.min(24, Math.max(8, cells - 50));
    add(`${progressBar(fraction, barCells)}${percent} %`, style.cyan);
    add(`${clockTime(doneMs)} of ${clockTime(totalMs)}`);
    if (speed > 0) add(`${clockTime(leftMs(totalMs - doneMs, speed))} left`);
    if (speed > 0) add(`${speed.toFixed(1)}x`);
  }
  if (status.levelsDb.length > 0) {
    const loudest = levelFraction(Math.max(...status.levelsDb.slice(-LEVEL_CELLS)));
    const paint = loudest > 0.97 ? style.red : loudest < 0.15 ? style.yellow : style.green;
    add(levelHistory(status.levelsDb, LEVEL_CELLS), paint);
  }
  if (lagMs !== undefined) {
    const paint = lagMs > LAG_MS_BAD ? style.red : lagMs > LAG_MS_GOOD ? style.yellow : style.dim;
    add(`lag ${seconds(lagMs)}`, paint);
  }
  return joined(pieces, cells);
}

/** The last second counts as one: nobody has "0:00 left" and waits. */
function leftMs(audioMs: number, speed: number): number {
  return Math.ceil(Math.max(0, audioMs) / speed / 1000) * 1000;
}

/** One row for fetching or loading: what, a bar, how much. */
export function loadingRow(
  label: string,
  fraction: number | undefined,
  detail: string,
  cells: number,
  style: Style,
): string {
  const pieces: Piece[] = [{ plain: label, painted: label }];
  if (fraction !== undefined) {
    const plain = progressBar(fraction, Math.min(24, Math.max(8, cells - 50)));
    pieces.push({ plain, painted: style.cyan(plain) });
  }
  if (detail !== '') pieces.push({ plain: detail, painted: style.dim(detail) });
  return joined(pieces, cells);
}

function joined(pieces: readonly Piece[], cells: number): string {
  let row = '';
  let used = 0;
  for (const { plain, painted } of pieces) {
    const gap = row === '' ? '' : '  ';
    const width = widthOf(plain) + gap.length;
    if (used + width > cells) return row === '' ? headOf(plain, cells) : row;
    row += gap + painted;
    used += width;
  }
  return row;
}
