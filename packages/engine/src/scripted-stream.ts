import type { Hypothesis, SpeechStream } from './engine.js';
import { EngineError } from './errors.js';
import { HypothesisQueue } from './hypothesis-queue.js';
import { LIMITS } from './limits.js';
import { ScriptedTimeline, type TimelineOptions } from './scripted-timeline.js';

/** What a scripted stream needs of its engine. */
export interface ScriptedStreamOptions {
  readonly timeline: TimelineOptions;
  /** `write` waits once this much audio is not decoded. */
  readonly backlogMsMax: number;
  readonly sampleRateHz: number;
  readonly isStalled: () => boolean;
  /** Told before a block is taken; returns the error that the stream is to fail with. */
  readonly onWrite: (samples: Float32Array) => EngineError | undefined;
  /** Told before a flush is taken; returns the error that the stream is to fail with. */
  readonly onFlush: () => EngineError | undefined;
  /** Told once, when the stream gives its slot back; `byOwner`: through `close` or by leaving the loop. */
  readonly onEnd: (byOwner: boolean) => void;
}

/** One stream of the scripted engine: counts samples, and asks its timeline what they say. */
export class ScriptedStream implements SpeechStream {
  readonly #options: ScriptedStreamOptions;
  readonly #queue: HypothesisQueue;
  readonly #timeline: ScriptedTimeline;
  /** Flushes not answered yet, each with the position it stands at. */
  #flushes: { readonly marker: number; readonly atSamples: number }[] = [];
  #writtenSamples = 0;
  #heardSamples = 0;
  /** Set when the stream is over; what a later `write` rejects with. */
  #over: EngineError | undefined;
  #closedByOwner = false;
  #waiting: (() => void)[] = [];

  constructor(options: ScriptedStreamOptions) {
    this.#options = options;
    this.#queue = new HypothesisQueue(
      () => this.#wakeWriters(),
      () => this.#closeNow(),
    );
    this.#timeline = new ScriptedTimeline(options.timeline, (hypothesis) => this.#queue.push(hypothesis));
  }

  get hypotheses(): AsyncIterable<Hypothesis> {
    return this.#queue;
  }

  async write(samples: Float32Array): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    const failure = this.#options.onWrite(samples);
    if (failure !== undefined) this.fail(failure);
    else this.#writtenSamples += samples.length;
    this.decode();
    while (this.#over === undefined && this.#isFull()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#over !== undefined) throw this.#over;
  }

  flush(marker: number): void {
    if (this.#over !== undefined) return;
    const failure = this.#options.onFlush();
    if (failure !== undefined) {
      this.fail(failure);
      return;
    }
    if (this.#flushes.length >= LIMITS.flushesPendingMax) {
      this.fail(new EngineError('engine_internal', 'Too many flushes wait for their answer.'));
      return;
    }
    this.#flushes.push({ marker, atSamples: this.#writtenSamples });
    this.decode();
  }

  async close(): Promise<void> {
    this.#queue.end();
    this.#closeNow();
  }

  /** Says what the audio written so far contains, unless the engine is stalled. For the engine alone. */
  decode(): void {
    if (this.#over !== undefined || this.#options.isStalled()) return;
    for (const { marker, atSamples } of this.#flushes) this.#timeline.flush(marker, this.#toMs(atSamples));
    this.#flushes = [];
    this.#timeline.hear(this.#toMs(this.#writtenSamples));
    this.#heardSamples = this.#writtenSamples;
    this.#wakeWriters();
  }

  /** Ends the stream with an error: what was said before stays readable. For the engine alone. */
  fail(error: EngineError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#queue.fail(error);
    this.#options.onEnd(false);
    this.#wakeWriters();
  }

  #closeNow(): void {
    const wasOver = this.#over !== undefined;
    if (this.#closedByOwner) return;
    this.#closedByOwner = true;
    this.#over = new EngineError('engine_closed', 'The stream was closed.');
    this.#flushes = [];
    if (!wasOver) this.#options.onEnd(true);
    this.#wakeWriters();
  }

  #isFull(): boolean {
    const backlogMs = this.#toMs(this.#writtenSamples) - this.#toMs(this.#heardSamples);
    return backlogMs >= this.#options.backlogMsMax || this.#queue.size >= LIMITS.hypothesesUnreadMax;
  }

  #wakeWriters(): void {
    if (this.#over === undefined && this.#isFull()) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #toMs(samples: number): number {
    return Math.floor((samples * 1000) / this.#options.sampleRateHz);
  }
}
