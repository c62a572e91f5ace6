/** How the session machine ends a session: the table of reasons, and the last step. */

import { fault } from './machine-notices.js';
import type { DeadlineName, Effect, Ending, State, Step } from './state.js';

type Open = Exclude<State, { readonly type: 'closed' }>;

/** Every way in which a session is ended from this side. The close codes are those of RFC 6455 and its registry. */
export const ENDINGS = {
  idle: { closeCode: 1000, closeReason: 'Session idle timeout.', fault: 'idle_timeout' },
  expired: { closeCode: 1000, closeReason: 'Longest session duration reached.', fault: 'session_expired' },
  drain: { closeCode: 1012, closeReason: 'Service restart.', fault: undefined },
  left: { closeCode: 1000, closeReason: 'All is said.', fault: undefined },
  stalled: { closeCode: 1008, closeReason: 'Events were not read.', fault: 'slow_reader' },
  busy: { closeCode: 1013, closeReason: 'Every recogniser is taken.', fault: 'engine_busy' },
  engineClosed: { closeCode: 1012, closeReason: 'Service restart.', fault: 'engine_failed' },
} as const satisfies Record<string, Ending>;

/** Says why, frees the slot and closes. */
export function closeNow(state: Open, ending: Ending): Step {
  return {
    state: { type: 'closed' },
    effects: [
      ...(ending.fault === undefined ? [] : [fault(ending.fault)]),
      ...release(state),
      { type: 'close', code: ending.closeCode, reason: ending.closeReason },
    ],
  };
}

/** A state in which the session only waits for its last answer. */
export function isEnding(
  state: State,
): state is Extract<State, { readonly type: 'answering' }> & { readonly ending: Ending } {
  return state.type === 'answering' && state.ending !== undefined;
}

/** Starts a deadline; none where the limit is 0. */
export function startDeadline(name: DeadlineName, afterMs: number): readonly Effect[] {
  return afterMs <= 0 ? [] : [{ type: 'start-deadline', name, afterMs }];
}

/** Gives the engine's stream back, if one is open. */
export function release(state: Open): readonly Effect[] {
  return state.common.stream === undefined ? [] : [{ type: 'release' }];
}
