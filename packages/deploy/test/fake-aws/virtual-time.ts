import type { Clock } from '@kikitori/core';

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Time that passes only while somebody sleeps, and what happens meanwhile. */
export class VirtualTime implements Clock {
  #nowMs = Date.UTC(2026, 10, 23);
  #tasks: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;
  /** How long AWS's work takes: 1 is as in life, less is sooner, for tests of many runs. */
  readonly #pace: number;
  /** Called before each sleep: a test interrupts here. */
  onSleep: ((nowMs: number) => void) | undefined;

  constructor({ pace = 1 }: { readonly pace?: number } = {}) {
    this.#pace = pace;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return this.#nowMs;
  }

  /** The wait of the program itself: time passes, unless it is broken off. */
  after(ms: number, run: () => void): () => void {
    let isWanted = true;
    queueMicrotask(() => {
      if (!isWanted) return;
      this.advance(ms);
      run();
    });
    this.onSleep?.(this.#nowMs);
    return () => {
      isWanted = false;
    };
  }

  /** Something that happens at AWS, by itself. */
  later(ms: number, run: () => void): void {
    this.#order += 1;
    this.#tasks.push({ atMs: this.#nowMs + ms, order: this.#order, run });
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#tasks
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = endMs;
  }

  /** Runs what yields how long it takes, step by step. */
  run(steps: Generator<number, void, void>): void {
    const { done, value } = steps.next();
    if (done !== true) this.later(value * this.#pace, () => this.run(steps));
  }
}
