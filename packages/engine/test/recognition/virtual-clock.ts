import type { EngineClock } from '../../src/recognition/engine-clock.js';

/** Turns of the event loop in which everything happens that can happen at one moment: one for each who wakes the next. */
const TURNS_A_MOMENT = 4;

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that passes only in `run`, and for nobody else: what the process does besides changes nothing here. */
export class VirtualClock implements EngineClock {
  #nowMs = 0;
  /** In the order in which they were started. */
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** Lets so much time pass, from timer to timer. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await this.#moment();
      const next = this.#next(untilMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && timer.atMs < (first?.atMs ?? Number.POSITIVE_INFINITY)) first = timer;
    }
    return first;
  }

  async #moment(): Promise<void> {
    for (let turn = 0; turn < TURNS_A_MOMENT; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
  }
}
