import type { TranscriptionDone } from '@kikitori/protocol';
import {
  CONTEXT_SHARE_MAX,
  HANDOVER_MS_MAX,
  LACKING_STEPS_MAX,
  PAUSE_MS,
  ROLL_CONTEXT_MS,
  ROLL_PAUSE_MS_MIN,
  ROLL_SEARCH_SHARE,
  SEAM_SHARE,
} from './limits.js';
import { type AudioRing, BYTES_PER_MS } from './replay/audio-ring.js';
import type { Ledger } from './replay/ledger.js';
import { pauseBehind, quietestMs } from './replay/quiet.js';
import { stepsOf, type TurnLimit } from './turn-limit.js';
import type { Turns } from './turns.js';

const BYTES_PER_SAMPLE = 2;

/** What the ends of turns depend on. */
export interface TurnEndParts {
  readonly turns: Turns;
  readonly ring: AudioRing;
  readonly ledger: Ledger;
  readonly limit: TurnLimit;
}

/**
 * Ends turns ahead of the model's limit, and finds out whether one was ended by it. A pause is best, and the nearer the limit,
 * the shorter it may be. Where none comes the turn is cut in the middle of speech: if places can be counted, the next turn
 * hears the audio in front of the cut once more, and each word is told by the turn that hears what surrounds it.
 */
export class TurnEnd {
  readonly #parts: TurnEndParts;
  /** Where a turn was cut in the middle of speech, milliseconds. */
  #cutMs: number | undefined;

  constructor(parts: TurnEndParts) {
    this.#parts = parts;
  }

  /** Longest audio of the running turn, bytes. A server that finds utterances itself bears all. */
  get bytesMax(): number {
    return (this.#msMax ?? Number.POSITIVE_INFINITY) * BYTES_PER_MS;
  }

  /** Looks for a pause in which to end the running turn, once it is long enough. */
  look(): void {
    const { turns, ring, ledger } = this.#parts;
    const turnMsMax = this.#msMax;
    if (turnMsMax === undefined || turns.state !== 'open' || turns.hasEnd) return;
    const searchMs = Math.min(HANDOVER_MS_MAX, turnMsMax * ROLL_SEARCH_SHARE);
    const leftMs = turnMsMax - turns.turnMs;
    if (leftMs > searchMs) return;
    const leastMs = ledger.timing === 'counted' || leftMs > searchMs / 4 ? ROLL_PAUSE_MS_MIN : 0;
    const quietMs = Math.max(leastMs, (PAUSE_MS * leftMs) / searchMs);
    const at = pauseBehind(ring, turns.position, leastMs === 0 ? 0 : quietMs);
    if (at !== undefined && at <= turns.position + leftMs * BYTES_PER_MS) turns.roll(at);
  }

  /** The turn is being ended here: `final` is next. */
  end(): void {
    const { turns, ledger, limit } = this.#parts;
    this.#cutMs = undefined;
    if (!turns.isRolling) return;
    if (turns.turnMs > 0 && this.#isFull) limit.count += 1;
    if (turns.hasEnd || ledger.timing !== 'counted') return;
    this.#cutMs = turns.position / BYTES_PER_MS;
    ledger.hold(this.#cutMs - contextMsOf(limit) * SEAM_SHARE);
  }

  /** The turn that ended last was cut in the middle of speech. */
  get isCut(): boolean {
    return this.#cutMs !== undefined;
  }

  get #msMax(): number | undefined {
    const { ledger, limit } = this.#parts;
    return ledger.timing === 'told' ? undefined : limit.turnMsMax;
  }

  /** The running turn is about as long as the model bears. */
  get #isFull(): boolean {
    const { turns, limit } = this.#parts;
    return turns.turnMs >= (1 - ROLL_SEARCH_SHARE) * (limit.turnMsMax ?? Number.POSITIVE_INFINITY);
  }

  /**
   * Where the next turn begins behind the one that is answered, milliseconds, and nothing is closed; undefined: where that
   * one ended, and what it said is.
   */
  backMs(): number | undefined {
    const { turns, ring, ledger, limit } = this.#parts;
    const isOpen = ledger.timing === 'counted' && ledger.isRepeating;
    if (this.#cutMs === undefined) return isOpen ? turns.position / BYTES_PER_MS : undefined;
    const contextMs = contextMsOf(limit);
    const startMs = Math.max(this.#cutMs - contextMs, ledger.closedMs);
    return ledger.align(Math.min(this.#cutMs, quietestMs(ring, startMs, startMs + contextMs / 4)));
  }

  /**
   * Whether the server ended the running turn before all of it was answered. To be asked for each `done`, before the turn is
   * over.
   */
  isCutShort({ usage }: TranscriptionDone): boolean {
    const { turns, ledger, limit } = this.#parts;
    if (ledger.timing === 'told' || turns.state === 'idle') return false;
    const isAsked = turns.state === 'ending';
    const lacking = stepsOf((turns.turnMs * BYTES_PER_MS) / BYTES_PER_SAMPLE) - ledger.steps;
    if (isAsked && Math.abs(lacking) <= LACKING_STEPS_MAX) {
      if (limit.note(usage, ledger.steps)) ledger.believe(true);
      return false;
    }
    // A model that nobody knows may count so by chance, and would be given a limit that it has not.
    const isLikely = ledger.timing === 'counted' || limit.tokens !== undefined;
    if (!isLikely && limit.isOfSteps(usage, ledger.steps)) return false;
    const isReached = (!isAsked || lacking > 0) && limit.isReached(usage, { isAsked, steps: ledger.steps });
    ledger.believe(isReached);
    return isReached && ledger.timing === 'counted';
  }
}

function contextMsOf({ turnMsMax = Number.POSITIVE_INFINITY }: TurnLimit): number {
  return Math.min(ROLL_CONTEXT_MS, turnMsMax * CONTEXT_SHARE_MAX);
}
