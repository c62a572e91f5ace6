import type { CaptionView } from '@kikitori/client/shared-captions';
import { timerMs } from '@kikitori/core';

/** States that may wait to be shown: a minute of the publisher's fastest pace. Then: the oldest is shown too early. */
const WAITING_MAX = 1_000;

/** What is told as time goes by. */
export interface CaptionTimingOptions {
  readonly delayMs: number;
  /** 0: never. */
  readonly clearMs: number;
  /** True when something is seen that was not there: a state that comes again after a lost connection is no word. */
  readonly onShow: (view: CaptionView) => boolean;
  /** Nothing has changed for so long. */
  readonly onPause: () => void;
}

/** Shows states later than they come, and notices pauses. */
export class CaptionTiming {
  readonly #options: CaptionTimingOptions;
  readonly #waiting: { readonly view: CaptionView; readonly atMs: number }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CaptionTimingOptions) {
    this.#options = options;
  }

  /** A state that holds from now on. */
  add(view: CaptionView): void {
    const { delayMs } = this.#options;
    if (delayMs === 0) {
      this.#show(view);
      return;
    }
    this.#waiting.push({ view, atMs: performance.now() + delayMs });
    if (this.#waiting.length > WAITING_MAX) this.#showNext();
    this.#arm();
  }

  #arm(): void {
    const [next] = this.#waiting;
    if (next === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#showNext();
        this.#arm();
      },
      timerMs(Math.max(0, next.atMs - performance.now())),
    );
  }

  #showNext(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#show(next.view);
  }

  #show(view: CaptionView): void {
    const { clearMs, onShow, onPause } = this.#options;
    if (!onShow(view) || clearMs === 0) return;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(onPause, timerMs(clearMs));
  }
}
