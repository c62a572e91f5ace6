import { TransportError } from './errors.js';
import { Gate, type WaitOptions } from './gate.js';

/** The bounds of a queue and who is told what. */
export interface BoundedQueueOptions {
  /** From here on the producer should wait; it may go on at half of it. */
  readonly highWaterBytes: number;
  readonly highWaterCount: number;
  /** From here on `offer` refuses. One item may reach beyond. */
  readonly maxBytes: number;
  readonly maxCount: number;
  /** Called when a queue that was above its mark may be filled again. */
  readonly onRoom?: () => void;
  /** Called when the consumer left before the end. */
  readonly onAbandoned?: () => void;
}

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
}

interface Reader<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

type Ending = { readonly kind: 'clean' } | { readonly kind: 'failed'; readonly error: unknown };

const COMPACT_AT = 1024;

/**
 * The one queue of this package: bounded in bytes and in count, read by one consumer in order.
 *
 * Full: `offer` answers false and takes nothing. Ended or failed: what was taken before is delivered first.
 * Destroyed: nothing more is delivered.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #options: BoundedQueueOptions;
  readonly #room = new Gate();
  #entries: (Entry<T> | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #isAboveMark = false;
  #ending: Ending | undefined;
  #reader: Reader<T> | undefined;
  #isTaken = false;

  constructor(options: BoundedQueueOptions) {
    this.#options = options;
  }

  /** Items taken and not yet read. */
  get count(): number {
    return this.#entries.length - this.#head;
  }

  /** Their bytes, as the producer stated them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True from the mark on until half of it is left: the producer should wait. */
  get isAboveMark(): boolean {
    return this.#isAboveMark;
  }

  /** Whether `end`, `fail` or `destroy` was called. */
  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  /** Takes an item, or answers false when the queue is full or has ended. */
  offer(value: T, bytes: number): boolean {
    if (this.#ending !== undefined) return false;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: false, value });
      return true;
    }
    const { maxBytes, maxCount, highWaterBytes, highWaterCount } = this.#options;
    if (this.#bytes >= maxBytes || this.count >= maxCount) return false;
    this.#entries.push({ value, bytes });
    this.#bytes += bytes;
    if (this.#bytes >= highWaterBytes || this.count >= highWaterCount) this.#isAboveMark = true;
    return true;
  }

  /** Resolves once the queue is below its mark or has ended; rejects with `signal.reason`. */
  async room({ signal }: WaitOptions = {}): Promise<void> {
    while (this.#isAboveMark && this.#ending === undefined) await this.#room.wait({ signal });
  }

  /** The end: the consumer gets what is left, then finishes. */
  end(): void {
    this.#finish({ kind: 'clean' });
  }

  /** The end with an error: the consumer gets what is left, then the error. */
  fail(error: unknown): void {
    this.#finish({ kind: 'failed', error });
  }

  /** The end now: what is left is dropped, also when the queue had ended before. */
  destroy(error: unknown): void {
    const wasCut = this.count > 0;
    this.#drop();
    if (wasCut && this.#ending?.kind === 'clean') this.#ending = { kind: 'failed', error };
    this.#finish({ kind: 'failed', error });
  }

  /** The one consumer; a second call throws `already_read`. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    if (this.#isTaken) {
      throw new TransportError(
        'already_read',
        'This stream is already being read; one consumer reads it, once.',
      );
    }
    this.#isTaken = true;
    return {
      next: () => this.#next(),
      return: () => this.#abandon(),
    };
  }

  #next(): Promise<IteratorResult<T, undefined>> {
    const entry = this.#entries[this.#head];
    if (entry !== undefined) return Promise.resolve({ done: false, value: this.#take(entry) });
    const ending = this.#ending;
    if (ending?.kind === 'clean') return Promise.resolve({ done: true, value: undefined });
    if (ending !== undefined) {
      // A failure is told once; who asks again gets the end, as with a generator.
      this.#ending = { kind: 'clean' };
      return Promise.reject(ending.error);
    }
    if (this.#reader !== undefined) {
      return Promise.reject(
        new TransportError('already_read', 'The last read is still waiting; await it before the next.'),
      );
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #take(entry: Entry<T>): T {
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= entry.bytes;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    this.#releaseWhenLow();
    return entry.value;
  }

  #releaseWhenLow(): void {
    const { highWaterBytes, highWaterCount, onRoom } = this.#options;
    if (!this.#isAboveMark || this.#bytes > highWaterBytes / 2 || this.count > highWaterCount / 2) return;
    this.#isAboveMark = false;
    this.#room.open();
    onRoom?.();
  }

  #abandon(): Promise<IteratorResult<T, undefined>> {
    const wasOpen = this.#ending?.kind !== 'clean' || this.count > 0;
    this.#drop();
    this.#ending = { kind: 'clean' };
    this.#room.open();
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
    if (wasOpen) this.#options.onAbandoned?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  #drop(): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#isAboveMark = false;
  }

  #finish(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#room.open();
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    // A parked reader means that nothing was left.
    if (ending.kind === 'clean') {
      reader.resolve({ done: true, value: undefined });
    } else {
      this.#ending = { kind: 'clean' };
      reader.reject(ending.error);
    }
  }
}
