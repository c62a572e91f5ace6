/**
 * Random command sequences against a reference that is written the other way round: one flat list of what the client
 * sent, read from the front, instead of states. Whatever the order of events, every accepted sample reaches the
 * engine once and in order, in the utterance it belongs to, and every answer is the concatenation of its deltas.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/session/state.js';
import { Harness, notices, word } from './machine-harness.js';

type Token = { readonly audio: number } | 'begin' | 'end';

type Name = 'configure' | 'append' | 'begin' | 'end' | 'speak' | 'answer';

/** What the reference knows. */
interface Model {
  isValidated: boolean;
  /** Accepted and not consumed yet. */
  tokens: Token[];
  running: 'no' | 'open' | 'flushing';
  nextChunk: number;
  /** Chunks of audio per utterance begun, then the end marker where one was reached. */
  expected: (number | 'flush')[];
  /** The running utterance has audio; without any the engine is not asked. */
  hasAudio: boolean;
  donesOwed: number;
}

/** The running machine and what a client and an engine would have seen. */
interface Real {
  readonly session: Harness;
  readonly seen: (number | 'flush')[];
  text: string;
  dones: number;
  marker: number | undefined;
  isOpen: boolean;
  isClosed: boolean;
  saidMs: number;
}

function watch(real: Real, effects: readonly Effect[]): void {
  for (const effect of effects) {
    expect(real.isClosed, 'nothing after the end').toBe(false);
    if (effect.type === 'open') {
      expect(real.isOpen).toBe(false);
      real.isOpen = true;
    } else if (effect.type === 'release') {
      expect(real.isOpen).toBe(true);
      real.isOpen = false;
    } else if (effect.type === 'write') {
      expect(real.isOpen).toBe(true);
      for (let at = 0; at < effect.pcm.length; at += 32) real.seen.push(effect.pcm[at] ?? -1);
    } else if (effect.type === 'flush') {
      expect(real.isOpen).toBe(true);
      expect(real.marker, 'one flush at a time').toBe(undefined);
      real.marker = effect.marker;
      real.seen.push('flush');
    } else if (effect.type === 'close' || effect.type === 'end') {
      real.isClosed = true;
    }
  }
  for (const notice of notices(effects)) {
    if (notice.type === 'delta') real.text += notice.text;
    if (notice.type === 'done') {
      expect(notice.text).toBe(real.text);
      real.text = '';
      real.dones += 1;
    }
  }
}

/** True when what is appended now would belong to an utterance that is, or will be, begun and not ended. */
function isTailOpen(model: Model): boolean {
  const count = (wanted: Token): number => model.tokens.filter((token) => token === wanted).length;
  return count('begin') > count('end') || (model.running === 'open' && count('end') === 0);
}

function consume(model: Model): void {
  while (model.running === 'no' && model.tokens.includes('begin')) {
    model.tokens.splice(model.tokens.indexOf('begin'), 1);
    model.running = 'open';
    model.hasAudio = false;
  }
  while (model.running === 'open' && model.tokens.length > 0) {
    const at = model.tokens.findIndex((token) => token !== 'begin');
    if (at === -1) return;
    const [token] = model.tokens.splice(at, 1);
    if (token === 'end') {
      if (model.hasAudio) {
        model.expected.push('flush');
        model.running = 'flushing';
        return;
      }
      model.donesOwed += 1;
      model.running = 'no';
      consume(model);
      return;
    }
    if (token !== undefined && token !== 'begin') {
      model.hasAudio = true;
      model.expected.push(token.audio);
    }
  }
}

class Step implements fc.Command<Model, Real> {
  readonly #name: Name;

  constructor(name: Name) {
    this.#name = name;
  }

  check(model: Readonly<Model>): boolean {
    if (this.#name === 'speak') return model.running !== 'no' && model.hasAudio;
    return this.#name === 'answer' ? model.running === 'flushing' : true;
  }

  run(model: Model, real: Real): void {
    const { session } = real;
    switch (this.#name) {
      case 'configure':
        model.isValidated = true;
        watch(real, session.configure());
        break;
      case 'append':
        model.nextChunk = (model.nextChunk % 250) + 1;
        model.tokens.push({ audio: model.nextChunk });
        watch(real, session.append(1, model.nextChunk));
        break;
      case 'begin':
        // While an utterance is open, or one is already waiting to be open, a beginning means nothing.
        if (model.isValidated && !isTailOpen(model)) model.tokens.push('begin');
        watch(real, session.begin());
        break;
      case 'end':
        if (model.isValidated && this.#endsSomething(model)) model.tokens.push('end');
        watch(real, session.end());
        break;
      case 'speak':
        real.saidMs += 1;
        watch(real, session.words(word(`w${real.saidMs}`, real.saidMs, real.saidMs)));
        break;
      default: {
        const { marker } = real;
        real.marker = undefined;
        model.running = 'no';
        model.donesOwed += 1;
        watch(real, session.flushed(marker ?? -1));
      }
    }
    consume(model);
    expect(real.seen).toEqual(model.expected);
    expect(real.dones).toBe(model.donesOwed);
  }

  #endsSomething(model: Model): boolean {
    const behind = model.tokens.slice(model.tokens.lastIndexOf('end') + 1);
    return isTailOpen(model) || behind.some((token) => typeof token === 'object');
  }

  toString(): string {
    return this.#name;
  }
}

const fresh = (): { model: Model; real: Real } => ({
  model: {
    isValidated: false,
    tokens: [],
    running: 'no',
    nextChunk: 0,
    expected: [],
    hasAudio: false,
    donesOwed: 0,
  },
  real: {
    session: new Harness(),
    seen: [],
    text: '',
    dones: 0,
    marker: undefined,
    isOpen: false,
    isClosed: false,
    saidMs: 0,
  },
});

describe('any sequence of events', () => {
  it('hands every accepted sample over once, in its utterance, and answers each utterance once', () => {
    const names = ['configure', 'append', 'begin', 'end', 'speak', 'answer'] as const;
    const commands = fc.commands(
      names.map((name) => fc.constant(new Step(name))),
      { maxCommands: 60 },
    );
    fc.assert(
      fc.property(commands, (sequence) => {
        fc.modelRun(fresh, sequence);
      }),
      { numRuns: 2000 },
    );
  });
});
