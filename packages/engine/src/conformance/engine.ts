import type { SpeechEngine } from '../engine.js';
import { describeFlushing } from './flushing.js';
import { describeLifetime } from './lifetime.js';
import { describeListening } from './listening.js';
import { scenes } from './scene.js';

export { Listener } from './listener.js';
export { violationsOf } from './violations.js';
export { wordErrors } from './word-errors.js';

/** A piece of speech and what is said in it. */
export interface SpokenSample {
  /** Mono, −1…1, at the engine's rate. Borrowed, never changed. */
  readonly audio: Float32Array;
  /** Compared without case and punctuation. */
  readonly text: string;
}

/** What the suite needs to know of an engine. */
export interface EngineUnderTest {
  /** Shown as the title. */
  readonly name: string;
  /** A fresh engine with at least two streams; the suite shares it among its tests, and closes it. */
  readonly create: () => Promise<SpeechEngine>;
  /** Speech of some seconds, with some silence around it. */
  readonly speech: SpokenSample;
  /** Speech that shares little with `speech`: shows whether two streams mix. */
  readonly otherSpeech: SpokenSample;
  /** Audio in which nothing is said; some seconds. */
  readonly silence: Float32Array;
  /** Words that may differ from the expected text of one sample. Default 0. */
  readonly wordErrorsMax?: number;
  /**
   * The same audio gives the same hypotheses at every pace and in every cut. Engines that adapt to the load of
   * the machine are not: for them the texts are compared within `wordErrorsMax`. Default true.
   */
  readonly isDeterministic?: boolean;
  /** For one test; the runner's own when left out. */
  readonly timeoutMs?: number;
}

/** What the suite uses of a test runner: vitest's own functions fit. The build depends on no runner. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown;
  readonly afterAll: (body: () => Promise<void>) => unknown;
  readonly expect: (actual: unknown, message?: string) => Matchers;
}

/** The matchers in use. */
export interface Matchers {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toMatchObject(expected: Record<string, unknown>): void;
  toBeGreaterThan(bound: number): void;
  toBeGreaterThanOrEqual(bound: number): void;
  toBeLessThanOrEqual(bound: number): void;
}

/**
 * Declares the tests that every engine passes: the guarantees written in `engine.ts`, one test each. Call it at
 * the top of a test file.
 */
export function describeSpeechEngine(engine: EngineUnderTest, runner: TestRunner): void {
  runner.describe(`${engine.name} as a speech engine`, () => {
    const scene = scenes(engine, runner);
    describeListening(engine, runner, scene);
    describeFlushing(engine, runner, scene);
    describeLifetime(engine, runner, scene);
  });
}
