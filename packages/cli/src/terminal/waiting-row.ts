import type { Context } from '../context.js';
import { STILL_WAITING_MS } from '../limits.js';
import { createDisplay, type Display } from './display.js';
import { clockTime } from './figures.js';
import { oneLine } from './screened.js';
import { loadingRow } from './status-row.js';
import { headOf, widthOf } from './width.js';

const TICK_MS = 1_000;

/**
 * Says what is waited for, and for how long already: a row that is drawn over, or a line now and then where nobody could
 * see one. Begins at once; `close` takes the row away.
 */
export class WaitingRow {
  /** What is waited for, as a sentence without its full stop. */
  label: string;
  readonly #clock: Context['clock'];
  readonly #display: Display;
  readonly #startedMs: number;
  readonly #detail: () => string;
  #toldMs = 0;
  #cancel: () => void = () => undefined;

  /** `detail`: what stands behind it, such as the last words of a program. */
  constructor(
    label: string,
    context: Pick<Context, 'stdout' | 'stderr' | 'env' | 'clock'>,
    detail: () => string = () => '',
  ) {
    this.label = label;
    this.#clock = context.clock;
    this.#display = createDisplay(context);
    this.#startedMs = context.clock.nowMs();
    this.#detail = detail;
    this.#tick();
  }

  get elapsedMs(): number {
    return this.#clock.nowMs() - this.#startedMs;
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
    this.#display.close();
  }

  #tick(): void {
    const time = clockTime(this.elapsedMs);
    const { style } = this.#display;
    const head = `${this.label}… ${time}`;
    const detail = oneLine(this.#detail());
    this.#display.status((cells) =>
      loadingRow(head, undefined, headOf(detail, Math.max(0, cells - widthOf(head) - 2)), cells, style),
    );
    if (!this.#display.isLive && this.elapsedMs - this.#toldMs >= STILL_WAITING_MS) {
      this.#toldMs = this.elapsedMs;
      this.#display.note(`${this.label}, for ${time} so far…`);
    }
    this.#cancel = this.#clock.after(TICK_MS, () => this.#tick());
  }
}
