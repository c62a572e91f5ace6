import type { SpeechEngine, StreamOptions } from '../engine.js';
import type { EngineUnderTest, SpokenSample, TestRunner } from './engine.js';
import { Listener } from './listener.js';
import { SharedEngine } from './shared-engine.js';
import { violationsOf } from './violations.js';
import { wordErrors } from './word-errors.js';

/** One test of the suite: an engine whose streams are closed at its end, and the checks that all tests share. */
export class Scene {
  readonly engine: SpeechEngine;
  readonly #under: EngineUnderTest;
  readonly #expect: TestRunner['expect'];

  constructor(engine: SpeechEngine, under: EngineUnderTest, expect: TestRunner['expect']) {
    this.engine = engine;
    this.#under = under;
    this.#expect = expect;
  }

  /** Length of audio in whole milliseconds, rounded down. */
  lengthMs(audio: Float32Array): number {
    return Math.floor((audio.length * 1000) / this.engine.info.sampleRateHz);
  }

  /** Opens a stream and reads it in the background. */
  async listen(options: StreamOptions = {}): Promise<Listener> {
    return new Listener(await this.engine.open(options));
  }

  /** Writes a sample, flushes, and returns the listener with all it said. */
  async hear(
    audio: Float32Array,
    cutsSamples?: readonly number[],
    options?: StreamOptions,
  ): Promise<Listener> {
    const listener = await this.listen(options);
    await listener.write(audio, cutsSamples);
    await listener.flush(1);
    return listener;
  }

  /** The guarantees hold, and the text is the expected one within the engine's tolerance. */
  expectSaid(listener: Listener, sample: SpokenSample): void {
    this.expectInOrder(listener);
    this.expectText(listener.text, sample.text);
  }

  /** No guarantee of the hypotheses was broken so far. */
  expectInOrder(listener: Listener): void {
    this.#expect(violationsOf(listener.heard)).toEqual([]);
  }

  /** Two texts differ by no more words than the engine may get wrong. */
  expectText(text: string, expected: string): void {
    const errors = wordErrors(text, expected);
    this.#expect(errors, `said "${text}"`).toBeLessThanOrEqual(this.#under.wordErrorsMax ?? 0);
  }

  /** The promise rejects with an `EngineError` of this code. */
  async expectRejection(promise: Promise<unknown>, code: string): Promise<void> {
    const outcome = await promise.then(
      () => 'resolved',
      (error: unknown) => error,
    );
    this.#expect(outcome).toMatchObject({ name: 'EngineError', code });
  }
}

/** Declares a test. */
export type DeclareScene = (name: string, body: (scene: Scene) => Promise<void>) => void;

/** Declares tests that share an engine, which is closed behind the last of them. */
export function scenes(under: EngineUnderTest, { it, expect, afterAll }: TestRunner): DeclareScene {
  const shared = new SharedEngine(under.create);
  afterAll(() => shared.close());
  return (name, body) => {
    const run = (): Promise<void> => shared.lend((engine) => body(new Scene(engine, under, expect)));
    if (under.timeoutMs === undefined) it(name, run);
    else it(name, run, under.timeoutMs);
  };
}
