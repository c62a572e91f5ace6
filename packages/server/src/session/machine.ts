/**
 * The session machine: a pure function from (state, input, time) to (state, effects). It knows no socket, no engine
 * and no dialect; `driver.ts` performs what it asks for.
 *
 * Audio is accepted in every state; where no utterance takes it, it is queued. Nothing is lost and nothing piles up:
 * the queue is bounded (`buffer_full` for the audio that does not fit); audio and utterances that come while one is
 * answered wait for their turn; an `end` that ends nothing is ignored; a session without life is ended.
 *
 * | state        | configure | append | begin   | end     | clear   | leave  | invalid | hypothesis | engine-lost | deadline | stalled | drain | gone |
 * |--------------|-----------|--------|---------|---------|---------|--------|---------|------------|-------------|----------|---------|-------|------|
 * | unconfigured | ready¹    | queue  | error   | error   | drop    | close  | error   | ignore     | ignore      | end²     | close   | close | end  |
 * | ready        | set       | queue  | begin   | mark³   | drop    | close  | error   | settle     | forget      | end²     | close   | close | end  |
 * | listening    | set       | write  | ignore  | flush⁴  | forget⁸ | flush  | error   | speak      | error       | finish²⁷ | close   | flush⁷| end  |
 * | answering    | set⁵      | queue⁵ | count⁵  | mark³⁵  | drop⁵   | wait⁵  | error⁵  | speak⁶     | error       | finish²  | close   | wait  | end  |
 * | closed       | ignore    | ignore | ignore  | ignore  | ignore  | ignore | ignore  | ignore     | ignore      | ignore   | ignore  | ignore| ignore |
 *
 * ¹ when the model is served, else `model_not_found` and no change. ² `idle` and `session` say why and end the
 * session, after the running utterance is answered; `finish` closes at once; `progress` sends the notice. ³ ends the
 * queued audio; ignored when none waits for an end. ⁴ an utterance without audio is answered at once, without the
 * engine. ⁵ ignored once the session is ending. ⁶ `flushed` answers the utterance and begins the next one that waits.
 * ⁷ without an answer for a client that resumes, which is told how far it got; after `idle` with one, for nobody is
 * speaking then. ⁸ the stream is given back, and there is no answer.
 */

import { EMPTY_QUEUE } from './audio-queue.js';
import { firstSilenceMs } from './deadlines.js';
import { isEnding, startDeadline } from './machine-closing.js';
import * as end from './machine-ending.js';
import * as speech from './machine-speech.js';
import type { Input, MachineConfig, State, Step } from './state.js';

type StateOf<S extends State['type']> = Extract<State, { readonly type: S }>;
type InputOf<I extends Input['type']> = Extract<Input, { readonly type: I }>;

/** One cell of the table: what a state does with an input at a time (milliseconds of a monotonic clock). */
type Cell<S extends State['type'], I extends Input['type']> = (
  state: StateOf<S>,
  input: InputOf<I>,
  config: MachineConfig,
  nowMs: number,
) => Step;

type Row<S extends State['type']> = { readonly [I in Input['type']]: Cell<S, I> };

const stay = (state: State): Step => ({ state, effects: [] });

/** The table of the header; the compiler holds it complete. */
export const TABLE: { readonly [S in State['type']]: Row<S> } = {
  unconfigured: {
    configure: speech.configureFirst,
    append: speech.queueAppend,
    begin: speech.refuseUnconfigured,
    end: speech.refuseUnconfigured,
    clear: speech.clearQueue,
    leave: end.sayGoodbye,
    invalid: speech.answerInvalid,
    hypothesis: stay,
    'engine-lost': stay,
    deadline: end.onDeadline,
    stalled: end.closeStalled,
    drain: end.drain,
    gone: end.leave,
  },
  ready: {
    configure: speech.configure,
    append: speech.queueAppend,
    begin: speech.beginQueued,
    end: speech.markEnd,
    clear: speech.clearQueue,
    leave: end.sayGoodbye,
    invalid: speech.answerInvalid,
    hypothesis: speech.settleOnly,
    'engine-lost': speech.forgetStream,
    deadline: end.onDeadline,
    stalled: end.closeStalled,
    drain: end.drain,
    gone: end.leave,
  },
  listening: {
    configure: speech.configure,
    append: speech.writeAppend,
    begin: stay,
    end: speech.requestAnswer,
    clear: speech.clearUtterance,
    leave: end.sayGoodbye,
    invalid: speech.answerInvalid,
    hypothesis: speech.speak,
    'engine-lost': speech.failUtterance,
    deadline: end.onDeadline,
    stalled: end.closeStalled,
    drain: end.drain,
    gone: end.leave,
  },
  answering: {
    configure: unlessEnding(speech.configure),
    append: unlessEnding(speech.queueAppend),
    begin: unlessEnding(speech.countBegin),
    end: unlessEnding(speech.markEnd),
    clear: unlessEnding(speech.clearQueue),
    leave: unlessEnding(end.sayGoodbye),
    invalid: unlessEnding(speech.answerInvalid),
    hypothesis: speech.speak,
    'engine-lost': speech.failUtterance,
    deadline: end.onDeadline,
    stalled: end.closeStalled,
    drain: end.drain,
    gone: end.leave,
  },
  closed: {
    configure: stay,
    append: stay,
    begin: stay,
    end: stay,
    clear: stay,
    leave: stay,
    invalid: stay,
    hypothesis: stay,
    'engine-lost': stay,
    deadline: stay,
    stalled: stay,
    drain: stay,
    gone: stay,
  },
};

/** The first step of a session: greets the client and starts its deadlines. `createdS`: Unix time in seconds. */
export function openSession(
  config: MachineConfig,
  session: { readonly id: string; readonly createdS: number },
): Step {
  return {
    state: openLane(),
    effects: [
      { type: 'send', notice: { type: 'created', id: session.id, createdS: session.createdS } },
      ...startDeadline('idle', firstSilenceMs(config)),
      ...startDeadline('session', config.sessionMsMax),
    ],
  };
}

/** How a lane begins that joins a session: greeting and deadlines are the session's. */
export function openLane(): State {
  return {
    type: 'unconfigured',
    common: {
      receivedSamples: 0,
      writtenSamples: 0,
      settledMs: 0,
      lostFromMs: Number.POSITIVE_INFINITY,
      utterances: false,
      progress: false,
      wishes: { words: false, partials: false, onsets: false, delayMs: undefined },
      resumes: false,
      stream: undefined,
      nextMarker: 1,
      progressSentAtMs: Number.NEGATIVE_INFINITY,
      progressScheduled: false,
    },
    queue: EMPTY_QUEUE,
  };
}

/** Inputs that show that the client is alive. */
const FROM_CLIENT: ReadonlySet<Input['type']> = new Set([
  'configure',
  'append',
  'begin',
  'end',
  'clear',
  'leave',
  'invalid',
]);

/** Takes one step. Pure; `nowMs` is a monotonic clock and must not go backwards. */
export function advance(config: MachineConfig, state: State, input: Input, nowMs: number): Step {
  // The table pairs each state and input with its own cell; TypeScript cannot follow two tags at once.
  const cell = TABLE[state.type][input.type] as (
    state: State,
    input: Input,
    config: MachineConfig,
    nowMs: number,
  ) => Step;
  const step = cell(state, input, config, nowMs);
  // Nor is a session idle whose audio is being worked on: the client's next words may wait behind it, unread.
  const isAlive = FROM_CLIENT.has(input.type) || (input.type === 'hypothesis' && state.type === 'listening');
  if (!isAlive || step.state.type === 'closed' || isEnding(step.state)) return step;
  return { state: step.state, effects: [...step.effects, ...startDeadline('idle', config.idleTimeoutMs)] };
}

function unlessEnding<I extends Input['type']>(cell: Cell<'answering', I>): Cell<'answering', I> {
  return (state, input, config, nowMs) =>
    state.ending === undefined ? cell(state, input, config, nowMs) : stay(state);
}
