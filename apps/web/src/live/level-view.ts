/** Bars that fit on the canvas, one for some 60 ms: three seconds. */
const BARS = 48;
const BLOCKS_PER_BAR = 3;
/** What is drawn as nothing, and what fills the height. */
const FLOOR_DBFS = -60;
const CEILING_DBFS = -6;

/** How loud it is, as bars that walk to the left; one bar where less motion is wished for. */
export class LevelView {
  readonly #canvas: HTMLCanvasElement;
  readonly #bars: number[] = [];
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)');
  #blocks = 0;
  #loudest = FLOOR_DBFS;
  #frame: number | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** The level of one block of sound. */
  add(rmsDbfs: number): void {
    this.#loudest = Math.max(this.#loudest, rmsDbfs);
    this.#blocks += 1;
    if (this.#blocks < BLOCKS_PER_BAR) return;
    const share = (this.#loudest - FLOOR_DBFS) / (CEILING_DBFS - FLOOR_DBFS);
    this.#bars.push(Math.min(1, Math.max(0, share)));
    if (this.#bars.length > BARS) this.#bars.shift();
    this.#blocks = 0;
    this.#loudest = FLOOR_DBFS;
    this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  reset(): void {
    this.#bars.length = 0;
    this.#draw();
  }

  #draw(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    const { width, height } = this.#canvas;
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(this.#canvas).color;
    if (this.#isCalm.matches) {
      context.fillRect(0, height / 2 - 3, width * (this.#bars.at(-1) ?? 0), 6);
      return;
    }
    const step = width / BARS;
    for (const [index, share] of this.#bars.entries()) {
      const tall = Math.max(2, share * height);
      const place = BARS - this.#bars.length + index;
      context.fillRect(place * step, (height - tall) / 2, step - 2, tall);
    }
  }
}
