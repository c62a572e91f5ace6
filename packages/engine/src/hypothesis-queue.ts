import type { Hypothesis } from './engine.js';
import { EngineError } from './errors.js';

/**
 * The way from an engine to the one consumer of a stream's hypotheses: ordered, never loses one, ends or fails
 * once. The producer watches `size`, because pushing never waits; bound: {@link LIMITS.hypothesesUnreadMax}.
 */
export class HypothesisQueue implements AsyncIterable<Hypothesis> {
  #items: Hypothesis[] = [];
  #head = 0;
  #done = false;
  #failure: EngineError | undefined;
  #taken = false;
  #wake: (() => void) | undefined;
  readonly #onRead: () => void;
  readonly #onLeave: () => void;

  /**
   * @param onRead - called after the consumer took a hypothesis: room may have become free
   * @param onLeave - called when the consumer leaves its loop: the stream is to be closed
   */
  constructor(onRead: () => void, onLeave: () => void) {
    this.#onRead = onRead;
    this.#onLeave = onLeave;
  }

  /** Hypotheses that nobody has read yet. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Appends. After `end` or `fail` it does nothing. */
  push(hypothesis: Hypothesis): void {
    if (this.#done) return;
    this.#items.push(hypothesis);
    this.#wakeConsumer();
  }

  /** Drops what nobody has read and ends the consumer's loop. Idempotent. */
  end(): void {
    this.#items = [];
    this.#head = 0;
    this.#done = true;
    this.#failure = undefined;
    this.#wakeConsumer();
  }

  /** Lets the consumer read what is there, then throws `error` at it. The first failure wins. */
  fail(error: EngineError): void {
    if (this.#done) return;
    this.#done = true;
    this.#failure = error;
    this.#wakeConsumer();
  }

  /**
   * One consumer; leaving its loop calls `onLeave`.
   *
   * @throws EngineError `engine_internal` when asked for a second iterator
   */
  [Symbol.asyncIterator](): AsyncIterator<Hypothesis, undefined> {
    if (this.#taken)
      throw new EngineError('engine_internal', 'Hypotheses have one consumer; a second one asked.');
    this.#taken = true;
    return {
      next: () => this.#next(),
      return: async () => {
        this.end();
        this.#onLeave();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<Hypothesis, undefined>> {
    for (;;) {
      const item = this.#items[this.#head];
      if (item !== undefined) {
        this.#forgetRead();
        this.#onRead();
        return { done: false, value: item };
      }
      const failure = this.#failure;
      if (failure !== undefined) {
        // Thrown once; whoever asks again gets the plain end, as iterators do.
        this.#failure = undefined;
        throw failure;
      }
      if (this.#done) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Moves on, and gives the memory of read hypotheses back now and then: shifting each would cost O(n). */
  #forgetRead(): void {
    this.#head += 1;
    if (this.#head === this.#items.length || this.#head === 1024) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  #wakeConsumer(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
