/** The cells of the session machine that concern audio and words. See the table in `machine.ts`. */

import type { Hypothesis, Word } from '@kikitori/engine';
import { AUTO_LANGUAGE, languageProblem } from '@kikitori/protocol/languages';
import { appendAudio, dropOpenAudio, EMPTY_QUEUE, endUtterance, hasOpenAudio } from './audio-queue.js';
import { closeNow, ENDINGS, release } from './machine-closing.js';
import { fault, noteProgress } from './machine-notices.js';
import {
  after,
  answerFrom,
  begin,
  type Changed,
  doneNotice,
  finish,
  next,
  write,
} from './machine-utterance.js';
import type {
  Common,
  Effect,
  Ending,
  Input,
  MachineConfig,
  Notice,
  PlacedWord,
  State,
  Step,
  StreamWishes,
} from './state.js';

type StateOf<S extends State['type']> = Extract<State, { readonly type: S }>;
type InputOf<I extends Input['type']> = Extract<Input, { readonly type: I }>;
type Speaking = StateOf<'listening'> | StateOf<'answering'>;
type Queueing = StateOf<'unconfigured'> | StateOf<'ready'> | StateOf<'answering'>;
type Open = Exclude<State, StateOf<'closed'>>;
type Delta = Extract<Notice, { readonly type: 'delta' }>;

const SAMPLES_PER_MS = 16;
const CLEARED: Effect = { type: 'send', notice: { type: 'cleared' } };
const BYTES_PER_SAMPLE = 2;

/** A good model makes the session ready; another one, and a language that it does not hear, is refused. */
export function configureFirst(
  state: StateOf<'unconfigured'>,
  input: InputOf<'configure'>,
  config: MachineConfig,
): Step {
  const step = configure(state, input, config);
  if (step.state.type !== 'unconfigured' || step.state === state) return step;
  return { state: { ...step.state, type: 'ready' }, effects: step.effects };
}

/** Naming the model again changes nothing but the extras that are wanted; what is refused leaves the same state. */
export function configure(state: Open, input: InputOf<'configure'>, config: MachineConfig): Step {
  if (!isServed(config, input.model)) {
    return { state, effects: [fault('model_not_found', input.model)] };
  }
  const problem = languageProblem(input.language ?? AUTO_LANGUAGE, config.languages);
  if (problem !== undefined) return { state, effects: [fault('unsupported_language', problem)] };
  const common = {
    ...state.common,
    utterances: input.utterances ?? state.common.utterances,
    progress: input.progress ?? state.common.progress,
    wishes: wishesAfter(input, state.common.wishes),
    resumes: input.resumes ?? state.common.resumes,
  };
  return { state: { ...state, common }, effects: [{ type: 'send', notice: { type: 'configured' } }] };
}

/** The same object where nothing changes: a stream that suits is kept. */
function wishesAfter(input: InputOf<'configure'>, wishes: StreamWishes): StreamWishes {
  const { partials = wishes.partials, onsets = wishes.onsets, delayMs = wishes.delayMs } = input;
  const { utterances: words = wishes.words } = input;
  const isSame =
    words === wishes.words &&
    partials === wishes.partials &&
    onsets === wishes.onsets &&
    delayMs === wishes.delayMs;
  return isSame ? wishes : { words, partials, onsets, delayMs };
}

/**
 * Audio waits for the utterance that takes it. What does not fit is told once, and the
 * rest of its utterance goes: audio with a hole in it would be heard as something else.
 */
export function queueAppend<S extends Queueing>(
  state: S,
  input: InputOf<'append'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  const addedSamples = input.pcm.length / BYTES_PER_SAMPLE;
  if (state.queue.isRefusing) return { state, effects: [{ type: 'drop' }] };
  if (state.queue.lengthSamples + addedSamples > config.queuedAudioMsMax * SAMPLES_PER_MS) {
    const queue = { ...state.queue, isRefusing: true };
    return { state: { ...state, queue }, effects: [fault('buffer_full'), { type: 'drop' }] };
  }
  const noted = noteProgress(received(state.common, addedSamples), config, nowMs);
  return {
    state: { ...state, common: noted.common, queue: appendAudio(state.queue, input.pcm) },
    effects: noted.effects,
  };
}

/** While an utterance is running its audio goes straight to the engine. */
export function writeAppend(
  state: StateOf<'listening'>,
  input: InputOf<'append'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  const addedSamples = input.pcm.length / BYTES_PER_SAMPLE;
  const noted = noteProgress(received(state.common, addedSamples), config, nowMs);
  const written = write(noted.common, [input.pcm]);
  const utterance = { ...state.utterance, lengthSamples: state.utterance.lengthSamples + addedSamples };
  return {
    state: { type: 'listening', common: written.common, utterance },
    effects: [...written.effects, ...noted.effects],
  };
}

/** What waits for its utterance goes, and that utterance is not begun. Those that were ended stay. */
export function clearQueue<S extends Queueing>(state: S): Step {
  const queue = dropOpenAudio(state.queue);
  const dropped = state.queue.lengthSamples - queue.lengthSamples;
  const cleared = { ...state, common: passed(state.common, dropped), queue };
  if (cleared.type !== 'answering') return { state: cleared, effects: [CLEARED] };
  return { state: { ...cleared, starts: Math.min(cleared.starts, queue.ends) }, effects: [CLEARED] };
}

/** The running utterance goes, with the words that were still to come. */
export function clearUtterance(state: StateOf<'listening'>): Step {
  const common = { ...passed(state.common, 0), stream: undefined };
  return { state: { type: 'ready', common, queue: EMPTY_QUEUE }, effects: [...release(state), CLEARED] };
}

/** The timeline goes on behind audio that nobody will hear. */
function passed(common: Common, droppedSamples: number): Common {
  const writtenSamples = common.writtenSamples + droppedSamples;
  return {
    ...common,
    writtenSamples,
    settledMs: Math.max(common.settledMs, writtenSamples / SAMPLES_PER_MS),
  };
}

/** An utterance needs a good model first. */
export function refuseUnconfigured(state: State): Step {
  return { state, effects: [fault('not_configured')] };
}

/** Says what was wrong; some of it also ends the session. */
export function answerInvalid(state: Open, { problem }: InputOf<'invalid'>): Step {
  const answer: Effect = { type: 'send', notice: { type: 'invalid', problem } };
  if (problem.closing === undefined) return { state, effects: [answer] };
  const { code, reason } = problem.closing;
  return after([answer], closeNow(state, { closeCode: code, closeReason: reason, fault: undefined }));
}

export function beginQueued(
  state: StateOf<'ready'>,
  _input: InputOf<'begin'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  return begin({ common: state.common, queue: state.queue, starts: 0, ending: undefined }, config, nowMs);
}

/** A beginning while the last utterance is still being answered: begins the next one when its turn comes. */
export function countBegin(state: StateOf<'answering'>): Step {
  // One start for each ended utterance that waits, and one for the open one behind them; more would start the
  // same utterance twice.
  if (state.starts > state.queue.ends) return { state, effects: [] };
  return { state: { ...state, starts: state.starts + 1 }, effects: [] };
}

/** An end marker behind queued audio, or behind a beginning that still waits for its turn. */
export function markEnd(
  state: StateOf<'ready'> | StateOf<'answering'>,
  _input: InputOf<'end'>,
  config: MachineConfig,
): Step {
  const started = state.type === 'answering' && state.starts > state.queue.ends;
  if (!started && !hasOpenAudio(state.queue)) return { state, effects: [] };
  if (state.queue.ends >= config.queuedUtterancesMax) return { state, effects: [fault('buffer_full')] };
  return { state: { ...state, queue: endUtterance(state.queue) }, effects: [] };
}

/** The end of the running utterance: the engine is asked for its last words. */
export function requestAnswer(
  state: StateOf<'listening'>,
  _input: Input,
  config: MachineConfig,
  nowMs: number,
): Step {
  return answerFrom(state, undefined, config, nowMs);
}

/** Between utterances the engine only tells how far it is. */
export function settleOnly(
  state: StateOf<'ready'>,
  input: InputOf<'hypothesis'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  const noted = settle(state.common, input.hypothesis, config, nowMs);
  return { state: { ...state, common: noted.common }, effects: noted.effects };
}

/** The engine speaks in a running utterance. */
export function speak(
  state: Speaking,
  input: InputOf<'hypothesis'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  const { hypothesis } = input;
  const noted = settle(state.common, hypothesis, config, nowMs);
  const settled = { ...state, common: noted.common };
  switch (hypothesis.type) {
    case 'words': {
      const last = hypothesis.words.at(-1);
      if (last === undefined) return { state: settled, effects: noted.effects };
      return say(settled, deltaOf(settled.common, hypothesis, last.endMs), noted.effects, config, nowMs);
    }
    case 'text': {
      const audioMs = sessionMs(settled.common, hypothesis.endMs);
      const delta: Delta = { type: 'delta', text: hypothesis.text, audioMs, words: [] };
      return say(settled, delta, noted.effects, config, nowMs);
    }
    case 'onset':
      return { state: settled, effects: [...onsetNotice(settled.common, hypothesis), ...noted.effects] };
    case 'partial':
      return { state: settled, effects: [...partialNotice(settled.common, hypothesis), ...noted.effects] };
    case 'utterance':
      return { state: settled, effects: [...utteranceNotice(settled.common, hypothesis), ...noted.effects] };
    case 'progress':
      return { state: settled, effects: noted.effects };
    case 'flushed':
      if (settled.type !== 'answering' || hypothesis.marker !== settled.marker) {
        return { state: settled, effects: noted.effects };
      }
      return after([...noted.effects, doneNotice(settled, hypothesis.tokens)], next(settled, config, nowMs));
    default:
      return hypothesis satisfies never;
  }
}

/** The stream failed between utterances: nothing is lost, the next utterance opens another. */
export function forgetStream(state: StateOf<'ready'>, input: InputOf<'engine-lost'>): Step {
  const ending = endingOfLoss(input);
  const common = { ...state.common, stream: undefined };
  if (ending !== undefined) return closeNow({ ...state, common }, ending);
  return { state: { ...state, common }, effects: [] };
}

/** The stream failed in an utterance: there is no `done`, what is queued stays, and `begin` works again. */
export function failUtterance(
  state: Speaking,
  input: InputOf<'engine-lost'>,
  config: MachineConfig,
  nowMs: number,
): Step {
  const ending = endingOfLoss(input);
  const lostFromMs = Math.min(state.common.lostFromMs, state.common.settledMs);
  const common = { ...state.common, stream: undefined, lostFromMs };
  if (ending !== undefined) return closeNow({ ...state, common }, ending);
  const queue = state.type === 'answering' ? state.queue : EMPTY_QUEUE;
  const starts = state.type === 'answering' ? state.starts : 0;
  const following = state.type === 'answering' ? state.ending : undefined;
  const lost: Effect = fault('engine_failed');
  return after([lost], next({ common, queue, starts, ending: following }, config, nowMs));
}

/** Says what is new; an utterance that got too long ends with it. */
function say(
  state: Speaking,
  delta: Delta,
  effects: readonly Effect[],
  config: MachineConfig,
  nowMs: number,
): Step {
  const said: readonly Effect[] = [{ type: 'send', notice: delta }, ...effects];
  const text = state.utterance.text + delta.text;
  const spoken: Speaking = { ...state, utterance: { ...state.utterance, text } };
  if (text.length <= config.utteranceCharsMax) return { state: spoken, effects: said };
  return after(said, finish(spoken, ENDINGS.expired, config, nowMs));
}

function deltaOf(
  common: Common,
  { words, unsure }: Extract<Hypothesis, { type: 'words' }>,
  endMs: number,
): Delta {
  return {
    type: 'delta',
    text: words.map((word) => ` ${word.text}`).join(''),
    audioMs: sessionMs(common, endMs),
    words: placed(common, words),
    ...(unsure === true ? { unsure } : {}),
  };
}

function partialNotice(common: Common, hypothesis: Extract<Hypothesis, { type: 'partial' }>): Effect[] {
  if (!common.wishes.partials) return [];
  const audioMs = Math.round(common.settledMs);
  return [{ type: 'send', notice: { type: 'partial', text: hypothesis.text, audioMs } }];
}

function onsetNotice(common: Common, hypothesis: Extract<Hypothesis, { type: 'onset' }>): Effect[] {
  if (!common.wishes.onsets) return [];
  return [{ type: 'send', notice: { type: 'onset', startMs: sessionMs(common, hypothesis.startMs) } }];
}

function utteranceNotice(common: Common, hypothesis: Extract<Hypothesis, { type: 'utterance' }>): Effect[] {
  const isTold = hypothesis.words.length > 0 || common.wishes.onsets;
  if (!common.utterances || !isTold) return [];
  const words = placed(common, hypothesis.words);
  const notice = {
    type: 'utterance' as const,
    text: words.map((word) => word.text).join(' '),
    startMs: sessionMs(common, hypothesis.startMs),
    endMs: sessionMs(common, hypothesis.endMs),
    words,
    ...(hypothesis.unsure === true ? { unsure: hypothesis.unsure } : {}),
  };
  return [{ type: 'send', notice }];
}

function placed(common: Common, words: readonly Word[]): readonly PlacedWord[] {
  return words.map((word) => ({
    text: word.text,
    startMs: sessionMs(common, word.startMs),
    endMs: sessionMs(common, word.endMs),
  }));
}

function settle(common: Common, hypothesis: Hypothesis, config: MachineConfig, nowMs: number): Changed {
  const settledMs = (common.stream?.originMs ?? 0) + hypothesis.settledMs;
  if (settledMs <= common.settledMs) return { common, effects: [] };
  return noteProgress({ ...common, settledMs }, config, nowMs);
}

function received(common: Common, addedSamples: number): Common {
  return { ...common, receivedSamples: common.receivedSamples + addedSamples };
}

function sessionMs(common: Common, streamMs: number): number {
  return Math.round((common.stream?.originMs ?? 0) + streamMs);
}

function isServed(config: MachineConfig, model: string): boolean {
  return model === '' || config.models.includes(model);
}

/** The engine is going away for good, or will not take this session: the session cannot go on. */
function endingOfLoss(input: InputOf<'engine-lost'>): Ending | undefined {
  if (input.code === 'engine_closed') return ENDINGS.engineClosed;
  if (input.code === 'engine_busy') return ENDINGS.busy;
  return undefined;
}
