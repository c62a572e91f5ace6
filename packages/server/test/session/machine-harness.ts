import type { Hypothesis, Word } from '@kikitori/engine';
import { SESSION_LIMITS } from '../../src/limits.js';
import { advance, openSession } from '../../src/session/machine.js';
import type { Effect, Input, MachineConfig, Notice, State } from '../../src/session/state.js';

export const CONFIG: MachineConfig = { ...SESSION_LIMITS, models: ['model-a', 'model-b'], languages: ['en'] };

/** PCM of so many milliseconds; every byte carries `mark`, so that a chunk can be told from another. */
export function pcm(lengthMs: number, mark = 1): Uint8Array {
  return new Uint8Array(lengthMs * 32).fill(mark);
}

export function word(text: string, startMs: number, endMs: number): Word {
  return { text, startMs, endMs };
}

/** Drives the machine by hand and keeps what came out. */
export class Harness {
  state: State;
  nowMs = 0;
  effects: Effect[];
  readonly #config: MachineConfig;

  constructor(config: Partial<MachineConfig> = {}) {
    this.#config = { ...CONFIG, ...config };
    const step = openSession(this.#config, { id: 'sess-0123456789abcdef', createdS: 1_795_360_478 });
    this.state = step.state;
    this.effects = [...step.effects];
  }

  /** Takes a step; answers with its effects, without the ever-present restart of the idle deadline. */
  feed(input: Input): Effect[] {
    const step = advance(this.#config, this.state, input, this.nowMs);
    this.state = step.state;
    this.effects.push(...step.effects);
    return step.effects.filter((effect) => !(effect.type === 'start-deadline' && effect.name === 'idle'));
  }

  configure(
    extras: {
      readonly utterances?: boolean;
      readonly progress?: boolean;
      readonly partials?: boolean;
      readonly onsets?: boolean;
      readonly resumes?: boolean;
      readonly delayMs?: number;
      readonly model?: string;
      readonly language?: string;
    } = {},
  ): Effect[] {
    const { model = 'model-a', ...wishes } = extras;
    return this.feed({ type: 'configure', model, ...wishes });
  }

  append(lengthMs: number, mark = 1): Effect[] {
    return this.feed({ type: 'append', pcm: pcm(lengthMs, mark) });
  }

  begin(): Effect[] {
    return this.feed({ type: 'begin' });
  }

  end(): Effect[] {
    return this.feed({ type: 'end' });
  }

  hear(hypothesis: Hypothesis): Effect[] {
    return this.feed({ type: 'hypothesis', hypothesis });
  }

  words(...words: Word[]): Effect[] {
    return this.hear({ type: 'words', words, settledMs: words.at(-1)?.endMs ?? 0 });
  }

  flushed(marker: number, tokens = 0, settledMs = 0): Effect[] {
    return this.hear({ type: 'flushed', marker, settledMs, tokens });
  }
}

/** The notices among effects. */
export function notices(effects: readonly Effect[]): Notice[] {
  return effects.flatMap((effect) => (effect.type === 'send' ? [effect.notice] : []));
}

/** Effects without audio, for comparison: `write` shows its length in milliseconds. */
export function brief(effects: readonly Effect[]): unknown[] {
  return effects.map((effect) => {
    if (effect.type === 'write') return `write ${effect.pcm.length / 32}`;
    if (effect.type === 'flush') return `flush ${effect.marker}`;
    if (effect.type === 'open') {
      const { words, partials, delayMs } = effect.wishes;
      return `open${words ? ' with words' : ''}${partials ? ' with partials' : ''}${delayMs === undefined ? '' : ` and ${delayMs} ms`}`;
    }
    if (effect.type === 'release' || effect.type === 'end' || effect.type === 'drop') return effect.type;
    if (effect.type === 'close') return `close ${effect.code}`;
    if (effect.type === 'start-deadline') return `${effect.name} in ${effect.afterMs}`;
    const { notice } = effect;
    switch (notice.type) {
      case 'delta':
        return `delta${notice.text} @${notice.audioMs}`;
      case 'done':
        return `done${notice.text} ${notice.samples / 16}+${notice.tokens}`;
      case 'configured':
      case 'cleared':
        return notice.type;
      case 'fault':
        return `fault ${notice.fault}`;
      case 'invalid':
        return `invalid ${notice.problem.code}`;
      case 'progress':
        return `progress ${notice.receivedMs}/${notice.settledMs}`;
      default:
        return notice;
    }
  });
}

/** One input of each kind. */
export const SAMPLE_INPUTS: { readonly [I in Input['type']]: Input } = {
  configure: { type: 'configure', model: 'model-a', progress: true },
  append: { type: 'append', pcm: pcm(80) },
  begin: { type: 'begin' },
  end: { type: 'end' },
  clear: { type: 'clear' },
  leave: { type: 'leave' },
  invalid: { type: 'invalid', problem: { code: 'invalid_json', text: 'Invalid JSON' } },
  hypothesis: { type: 'hypothesis', hypothesis: { type: 'progress', settledMs: 40 } },
  'engine-lost': { type: 'engine-lost', code: 'engine_internal' },
  deadline: { type: 'deadline', name: 'session' },
  stalled: { type: 'stalled' },
  drain: { type: 'drain', deadlineMs: 1000 },
  gone: { type: 'gone' },
};

/** A session in each state, with a stream open where that is possible. */
export function inState(type: State['type']): Harness {
  const session = new Harness();
  if (type === 'unconfigured') return session;
  session.configure();
  if (type === 'ready') return session;
  session.begin();
  session.append(80);
  if (type === 'listening') return session;
  if (type === 'answering') session.end();
  else session.feed({ type: 'gone' });
  return session;
}
