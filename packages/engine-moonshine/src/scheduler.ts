/**
 * Who is decoded next. Live speakers come first, the one whose words are most overdue before the others; files wait
 * for a free moment, but not for ever.
 */
import type { DecodePlan } from './stream/recogniser.js';

/** What the choice is made by. */
export interface Candidate<Stream> {
  readonly stream: Stream;
  readonly plan: DecodePlan;
  readonly mode: 'live' | 'batch';
  /** Audio that waits behind the last settled word. Milliseconds. */
  readonly backlogMs: number;
  /** Since the stream was last decoded. Milliseconds. */
  readonly idleMs: number;
}

/** A speaker who has paused waits for an answer: these are worth this much lateness more. */
const PAUSE_BONUS_MS = 400;
/** A file gets as urgent as a speaker this late after so long without a turn. */
const BATCH_PATIENCE = 0.1;

/** How urgent a candidate is; the greatest goes first. Milliseconds of lateness. */
export function urgencyMs({ plan, mode, backlogMs, idleMs }: Omit<Candidate<unknown>, 'stream'>): number {
  if (mode === 'batch') return idleMs * BATCH_PATIENCE;
  return backlogMs + (plan.kind === 'pause' || plan.kind === 'cut' ? PAUSE_BONUS_MS : 0);
}

/** The most urgent candidate, or undefined when there is none. */
export function mostUrgent<Stream>(candidates: readonly Candidate<Stream>[]): Candidate<Stream> | undefined {
  let chosen: Candidate<Stream> | undefined;
  let best = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const urgency = urgencyMs(candidate);
    if (urgency <= best) continue;
    best = urgency;
    chosen = candidate;
  }
  return chosen;
}
