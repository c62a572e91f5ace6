import { setText } from './element.js';
import { WEB_LIMITS } from './limits.js';

/** Where the lag stands. */
export interface LagPlaces {
  readonly box: HTMLElement;
  readonly number: HTMLElement;
  readonly plot: SVGSVGElement;
}

/** The plot's height in units of its view box, and the least lag that fills it. */
const HEIGHT = 36;
const SCALE_MS_MIN = 3_000;

/**
 * The lag: every word that was spoken longer ago than this is on the page for good. So it counts the way of the sound, the
 * recogniser, and the wait until a word is sure. It grows by itself while the server says nothing.
 */
export class LagView {
  readonly #places: LagPlaces;
  readonly #points: number[] = [];

  constructor(places: LagPlaces) {
    this.#places = places;
  }

  /** One point, every `lagEveryMs`; undefined: not known, as before the first word. */
  add(lagMs: number | undefined): void {
    const { box, number, plot } = this.#places;
    box.hidden = lagMs === undefined && this.#points.length === 0;
    if (lagMs === undefined) return;
    this.#points.push(lagMs);
    if (this.#points.length > WEB_LIMITS.lagPoints) this.#points.shift();
    setText(number, `${(lagMs / 1000).toFixed(1)} s`);
    const scaleMs = Math.max(SCALE_MS_MIN, ...this.#points);
    const first = WEB_LIMITS.lagPoints - this.#points.length;
    const points = this.#points.map(
      (ms, index) => `${first + index},${(HEIGHT - (ms / scaleMs) * (HEIGHT - 3)).toFixed(1)}`,
    );
    plot.querySelector('polyline')?.setAttribute('points', points.join(' '));
  }

  reset(): void {
    this.#points.length = 0;
    this.#places.box.hidden = true;
    this.#places.plot.querySelector('polyline')?.setAttribute('points', '');
  }
}
