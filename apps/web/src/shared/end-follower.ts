/** What scrolls. */
export type Scroller = Pick<Element, 'scrollTop' | 'scrollHeight' | 'clientHeight'>;

/** At the end, but for what rounding leaves. */
const END_PX = 2;

/**
 * Whether a reader follows what is written at the end. Whoever scrolls up, however little, does not any more; whoever comes down to
 * within `nearPx` of the end does again.
 */
export class EndFollower {
  isFollowing = true;
  readonly #scroller: Scroller;
  readonly #nearPx: number;
  #top = 0;

  constructor(scroller: Scroller, nearPx: number) {
    this.#scroller = scroller;
    this.#nearPx = nearPx;
  }

  /** It was scrolled, by whomever; or there is more, or less, to scroll. */
  note(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const leftPx = scrollHeight - clientHeight - scrollTop;
    const movedPx = scrollTop - this.#top;
    this.#top = scrollTop;
    // Where text goes, a reader at the end is moved up without having scrolled.
    if (leftPx <= END_PX || (movedPx > 0 && leftPx < this.#nearPx)) this.isFollowing = true;
    else if (movedPx < 0) this.isFollowing = false;
  }

  /** To the end, to follow it from now on. */
  toEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.isFollowing = true;
    this.#top = this.#scroller.scrollTop;
  }

  /** To the end where the reader follows it. */
  keep(): void {
    if (this.isFollowing) this.toEnd();
  }
}
