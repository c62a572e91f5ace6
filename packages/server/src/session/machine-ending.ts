/** The cells of the session machine that end a session. See the table in `machine.ts`. */

import { closeNow, ENDINGS, isEnding, release, startDeadline } from './machine-closing.js';
import { sendProgress } from './machine-notices.js';
import { finish } from './machine-utterance.js';
import type { Input, MachineConfig, State, Step } from './state.js';

type Open = Exclude<State, { readonly type: 'closed' }>;
type InputOf<I extends Input['type']> = Extract<Input, { readonly type: I }>;

export function onDeadline(
  state: Open,
  input: InputOf<'deadline'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  switch (input.name) {
    case 'progress': {
      const sent = sendProgress(state.common, nowMs);
      return { state: { ...state, common: sent.common }, effects: sent.effects };
    }
    case 'idle':
      // Not idle while the client waits for us.
      if (state.type === 'answering') return { state, effects: startDeadline('idle', config.idleTimeoutMs) };
      return finish(state, ENDINGS.idle, config, nowMs);
    case 'session':
      return finish(state, ENDINGS.expired, config, nowMs);
    case 'finish':
      return isEnding(state) ? closeNow(state, state.ending) : { state, effects: [] };
    default:
      return input.name satisfies never;
  }
}

/** What was sent is not read, so nothing more is said. */
export function closeStalled(state: Open): Step {
  return closeNow(state, ENDINGS.stalled);
}

/** Answers what is running within the deadline, then closes with 1012. */
export function drain(state: Open, input: InputOf<'drain'>, config: MachineConfig, nowMs: number): Step {
  return finish(state, ENDINGS.drain, { ...config, finishMs: input.deadlineMs }, nowMs);
}

/** Answers what was asked for, however long that takes: the client waits for it. */
export function sayGoodbye(
  state: Open,
  _input: InputOf<'leave'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  return finish(state, ENDINGS.left, { ...config, finishMs: 0 }, nowMs);
}

/** The connection is gone: the slot is free at once. */
export function leave(state: Open): Step {
  return { state: { type: 'closed' }, effects: [...release(state), { type: 'end' }] };
}
