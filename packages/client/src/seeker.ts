import { type Clock, sleep } from '@kikitori/core';
import { type ClientError, fromConnectionEnd } from './errors.js';
import type { Leg } from './leg.js';
import { BackOff } from './replay/back-off.js';
import { awayMsOf, verdictOf } from './replay/verdict.js';

/** What seeking needs. */
export interface SeekerParts {
  /** One try. Rejects with `ClientError`. */
  readonly open: (signal: AbortSignal) => Promise<Leg>;
  readonly clock: Clock;
  /** 0…1, as `Math.random`. */
  readonly random: () => number;
  readonly giveUpAfterMs: number;
  /** Something waits to be sent or answered. */
  readonly isNeeded: () => boolean;
  /** Resolves when that may have changed. */
  readonly change: (signal: AbortSignal) => Promise<void>;
  /** Told after each try that failed. */
  readonly onFailure?: ((failure: ClientError) => void) | undefined;
}

/** Finds the next connection after one was lost: when to try, how often, and when no more. */
export class Seeker {
  readonly #parts: SeekerParts;
  readonly #backOff: BackOff;

  constructor(parts: SeekerParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(parts.giveUpAfterMs, parts.random);
  }

  /** The connection of the moment is good: the next loss is a new one. */
  proved(): void {
    this.#backOff.reset();
  }

  /** `lost`: why there is no connection; undefined before the first. Rejects with the error that cannot be mended. */
  async seek(lost: ClientError | undefined, signal: AbortSignal): Promise<Leg> {
    const { open, clock, isNeeded, change } = this.#parts;
    let failure = lost;
    for (;;) {
      const verdict = failure === undefined ? 'at_once' : verdictOf(failure, !isNeeded());
      if (failure !== undefined && verdict === 'never') throw failure;
      while (verdict === 'when_needed' && !isNeeded() && !signal.aborted) await change(signal);
      const awayMs = failure && awayMsOf(failure);
      const waitMs = this.#backOff.next(clock.nowMs(), { atOnce: verdict !== 'back_off', awayMs });
      if (waitMs === undefined && failure !== undefined) throw failure;
      if (waitMs !== undefined && waitMs > 0) await sleep(clock, waitMs, { signal });
      signal.throwIfAborted();
      try {
        return await open(signal);
      } catch (error) {
        failure = fromConnectionEnd(error);
        this.#parts.onFailure?.(failure);
      }
    }
  }
}
