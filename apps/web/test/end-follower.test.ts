import { describe, expect, it } from 'vitest';
import { EndFollower } from '../src/shared/end-follower.js';

/** A box of 400 px that clamps as a browser does, and tells of each move. */
class Box {
  readonly clientHeight = 400;
  readonly follower = new EndFollower(this, 96);
  #height = 400;
  #top = 0;

  get scrollTop(): number {
    return this.#top;
  }

  set scrollTop(px: number) {
    this.#top = Math.max(0, Math.min(px, this.#height - this.clientHeight));
  }

  get scrollHeight(): number {
    return this.#height;
  }

  /** The reader scrolls. */
  scrollTo(px: number): void {
    this.scrollTop = px;
    this.follower.note();
  }

  /** Text comes, or goes. */
  growTo(height: number): void {
    this.#height = height;
    this.scrollTop = this.#top;
    this.follower.note();
    this.follower.keep();
  }
}

describe('a reader of what is written at the end', () => {
  it('is kept there, also where text goes', () => {
    const box = new Box();
    for (const height of [380, 500, 900, 860, 2000]) {
      box.growTo(height);
      expect(box.scrollTop).toBe(Math.max(0, height - 400));
    }
  });

  it('who scrolls up stays there, however little that is, and though there is no more above', () => {
    const box = new Box();
    box.growTo(450);
    box.scrollTo(0);
    box.growTo(480);
    expect([box.scrollTop, box.follower.isFollowing]).toEqual([0, false]);
    box.growTo(2000);
    box.scrollTo(1500);
    box.scrollTo(1490);
    box.growTo(2100);
    expect(box.scrollTop).toBe(1490);
  });

  it('who comes back to near the end follows again', () => {
    const box = new Box();
    box.growTo(2000);
    box.scrollTo(1000);
    box.scrollTo(1400);
    box.growTo(2010);
    expect(box.scrollTop).toBe(1400);
    box.scrollTo(1550);
    box.growTo(2100);
    expect(box.scrollTop).toBe(1700);
  });

  it('who asks for the end is taken there', () => {
    const box = new Box();
    box.growTo(2000);
    box.scrollTo(0);
    box.follower.toEnd();
    box.growTo(2100);
    expect(box.scrollTop).toBe(1700);
  });
});
