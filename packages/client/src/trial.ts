import { TRIAL_MS } from './limits.js';
import type { Ledger } from './replay/ledger.js';
import type { TurnLimit } from './turn-limit.js';
import type { Turns } from './turns.js';

/** What a trial depends on. */
export interface TrialParts {
  readonly turns: Turns;
  readonly ledger: Ledger;
  readonly limit: TurnLimit;
  /** Resolves when a server that says nothing has had its time. */
  readonly patience: () => Promise<void>;
  readonly onOver: () => void;
}

/**
 * Holds audio back from a server that has not shown what it is, or is being asked what its model bears: more might be too
 * much for it, and end it for everybody. One that finds utterances itself bears all; one that answers deltas without places is
 * asked; one that says nothing is given up on.
 */
export class Trial {
  readonly #parts: TrialParts;
  #state: 'none' | 'silent' | 'asked' | 'over' = 'none';

  constructor(parts: TrialParts) {
    this.#parts = parts;
  }

  /** Nothing may be sent now; `onOver` tells when to look again. */
  isHolding(): boolean {
    const { turns, ledger, limit, patience } = this.#parts;
    if (limit.isKnown || ledger.timing === 'told' || this.#state === 'over') return false;
    if (ledger.steps > 0 && this.#state !== 'asked') this.#begin('asked', limit.ask());
    if (turns.state !== 'open' || turns.turnMs < TRIAL_MS) return false;
    if (this.#state === 'none') this.#begin('silent', patience());
    return true;
  }

  #begin(state: 'silent' | 'asked', end: Promise<void>): void {
    this.#state = state;
    void end.then(() => {
      // The one that said nothing may have begun to speak, and is asked now.
      if (this.#state === state) this.#state = 'over';
      this.#parts.onOver();
    });
  }
}
