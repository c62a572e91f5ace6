/** How the session machine begins, answers and hands over utterances. See the table in `machine.ts`. */

import { type AudioQueue, EMPTY_QUEUE, takeUtterance } from './audio-queue.js';
import { closeNow, ENDINGS, startDeadline } from './machine-closing.js';
import { sendProgress } from './machine-notices.js';
import type { Common, Effect, Ending, MachineConfig, RunningUtterance, State, Step } from './state.js';

type StateOf<S extends State['type']> = Extract<State, { readonly type: S }>;

const SAMPLES_PER_MS = 16;
const BYTES_PER_SAMPLE = 2;

/** What an utterance that is over leaves to the next. */
export interface Handover {
  readonly common: Common;
  readonly queue: AudioQueue;
  readonly starts: number;
  readonly ending: Ending | undefined;
}

/** Begins the next utterance that waits for its turn; without one the session is ready, or ends. */
export function next(handover: Handover, config: MachineConfig, nowMs: number): Step {
  const { common, queue, starts, ending } = handover;
  if (starts > 0) return begin({ common, queue, starts: starts - 1, ending }, config, nowMs);
  const ready: State = { type: 'ready', common, queue };
  if (ending !== undefined) return closeNow(ready, ending);
  return { state: ready, effects: startDeadline('idle', config.idleTimeoutMs) };
}

/** Takes from the head of the queue up to the first end marker. Recursion is bounded by the utterances queued. */
export function begin(handover: Handover, config: MachineConfig, nowMs: number): Step {
  const taken = takeUtterance(handover.queue);
  const suited = suitStream(handover.common);
  const audio = write(suited.common, taken.chunks);
  const written: Changed = { common: audio.common, effects: [...suited.effects, ...audio.effects] };
  const utterance: RunningUtterance = { text: '', lengthSamples: taken.lengthSamples };
  const listening: StateOf<'listening'> = { type: 'listening', common: written.common, utterance };
  if (!taken.ended) {
    // Only the last utterance of a queue can be open, so nothing is queued behind it.
    if (handover.ending === undefined) return { state: listening, effects: written.effects };
    return after(written.effects, answerFrom(listening, handover.ending, config, nowMs));
  }
  if (taken.lengthSamples === 0) {
    const rest = { ...handover, common: written.common, queue: taken.rest };
    return after([...written.effects, doneNotice(listening, 0)], next(rest, config, nowMs));
  }
  const answering = answerFrom(listening, handover.ending, config, nowMs);
  if (answering.state.type !== 'answering') return after(written.effects, answering);
  return {
    state: { ...answering.state, queue: taken.rest, starts: handover.starts },
    effects: [...written.effects, ...answering.effects],
  };
}

/** Asks the engine for the last words of the running utterance; with `ending` the session ends after the answer. */
export function answerFrom(
  state: StateOf<'listening'>,
  ending: Ending | undefined,
  config: MachineConfig,
  nowMs: number,
): Step {
  const { common, utterance } = state;
  if (utterance.lengthSamples === 0) {
    const done: Effect = doneNotice(state, 0);
    return after([done], next({ common, queue: EMPTY_QUEUE, starts: 0, ending }, config, nowMs));
  }
  const marker = common.nextMarker;
  return {
    state: {
      type: 'answering',
      common: { ...common, nextMarker: marker + 1 },
      utterance,
      marker,
      queue: EMPTY_QUEUE,
      starts: 0,
      ending,
    },
    effects: [{ type: 'flush', marker }],
  };
}

/**
 * Ends the session once everything that was begun is answered. The first reason to end is the one that is told.
 * A client that sends again what is not settled is told how far it got and is let go at once: an answer now would cut
 * the word that is being spoken, and what was said cannot be taken back. After long silence there is no such word.
 */
export function finish(
  state: Exclude<State, StateOf<'closed'>>,
  ending: Ending,
  config: MachineConfig,
  nowMs: number,
): Step {
  const deadline = startDeadline('finish', config.finishMs);
  switch (state.type) {
    case 'unconfigured':
    case 'ready':
      return closeNow(state, ending);
    case 'listening': {
      const isSpokenTo = ending !== ENDINGS.idle && ending !== ENDINGS.left;
      if (isSpokenTo && state.common.resumes) {
        return after(sendProgress(state.common, nowMs).effects, closeNow(state, ending));
      }
      const step = answerFrom(state, ending, config, nowMs);
      if (step.state.type === 'closed') return step;
      return { state: step.state, effects: [...step.effects, ...deadline] };
    }
    case 'answering':
      return { state: { ...state, ending: state.ending ?? ending }, effects: deadline };
    default:
      return state satisfies never;
  }
}

/** A part of a step. */
export interface Changed {
  readonly common: Common;
  readonly effects: readonly Effect[];
}

/** Between utterances a stream that was opened with other wishes can go: it holds no word that was not said. */
function suitStream(common: Common): Changed {
  if (common.stream === undefined || common.stream.wishes === common.wishes) {
    return { common, effects: [] };
  }
  return { common: { ...common, stream: undefined }, effects: [{ type: 'release' }] };
}

/** Hands audio to the engine; opens a stream where none is open. */
export function write(common: Common, chunks: readonly Uint8Array[]): Changed {
  if (chunks.length === 0) return { common, effects: [] };
  const effects: Effect[] = [];
  let { stream } = common;
  if (stream === undefined) {
    const { wishes } = common;
    stream = { originMs: common.writtenSamples / SAMPLES_PER_MS, wishes };
    effects.push({ type: 'open', wishes });
  }
  let { writtenSamples } = common;
  for (const pcm of chunks) {
    writtenSamples += pcm.length / BYTES_PER_SAMPLE;
    effects.push({ type: 'write', pcm });
  }
  return { common: { ...common, stream, writtenSamples }, effects };
}

/** The answer to the utterance that is running. */
export function doneNotice(
  { utterance, common }: { readonly utterance: RunningUtterance; readonly common: Common },
  tokens: number,
): Effect {
  const { text, lengthSamples: samples } = utterance;
  // Everything written belongs to this utterance or to earlier ones; what came later still waits.
  const audioMs = Math.floor(common.writtenSamples / SAMPLES_PER_MS);
  return { type: 'send', notice: { type: 'done', text, samples, tokens, audioMs } };
}

/** A step with effects before its own. */
export function after(effects: readonly Effect[], step: Step): Step {
  return { state: step.state, effects: [...effects, ...step.effects] };
}
