/**
 * Who is decoded next. Speakers come first, the one whose words are most overdue before the others. Whoever waits
 * (files, and streams whose audio came faster than it is spoken, whatever they opened as) has the time that speakers
 * leave, by turns, and a turn now and then where they leave none.
 */
import type { DecodePlan } from './recogniser.js';

/** What the choice is made by. */
export interface Candidate<Stream> {
  readonly stream: Stream;
  readonly plan: DecodePlan;
  /** A file, or ahead of real time. */
  readonly isWaiter: boolean;
  /** Audio that waits behind the last settled word. Milliseconds. */
  readonly backlogMs: number;
  /** Since the stream was last decoded. Milliseconds. */
  readonly idleMs: number;
}

/** What the waiters may have now. */
export interface WaitersShare {
  /** Whether one of them may begin: a thread is free for them, and no speaker is late. */
  readonly isOpen: boolean;
  /** Whether one of them is due, whatever speakers need. */
  readonly isDue: boolean;
}

/** A speaker who has paused waits for an answer: these are worth this much lateness more. */
const PAUSE_BONUS_MS = 400;

/** Whose turn it is, or undefined when it is nobody's. */
export function nextTurn<Stream>(
  candidates: readonly Candidate<Stream>[],
  share: WaitersShare,
): Candidate<Stream> | undefined {
  const speaker = greatest(candidates, (each) => (each.isWaiter ? undefined : latenessMs(each)));
  const waiter = greatest(candidates, (each) => (each.isWaiter ? each.idleMs : undefined));
  if (waiter !== undefined && share.isDue) return waiter;
  return speaker ?? (share.isOpen ? waiter : undefined);
}

function latenessMs({ plan, backlogMs }: Candidate<unknown>): number {
  return backlogMs + (plan.kind === 'pause' || plan.kind === 'cut' ? PAUSE_BONUS_MS : 0);
}

function greatest<Item>(
  items: readonly Item[],
  worthOf: (item: Item) => number | undefined,
): Item | undefined {
  let chosen: Item | undefined;
  let best = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    const value = worthOf(item) ?? Number.NEGATIVE_INFINITY;
    if (value <= best) continue;
    best = value;
    chosen = item;
  }
  return chosen;
}
