import type { SessionEvent } from '@kikitori/client';
import type { SpeechLink } from '../../src/session/link.js';

/** A session whose other side is the test: it says what it is told to, and remembers what it heard. */
export class FakeLink implements SpeechLink {
  languages: readonly string[] = ['en'];
  readonly hasKey = false;
  readonly heard: AsyncIterable<SessionEvent>;
  sentSamples = 0;
  finishes = 0;
  closes = 0;
  /** Called with each block, e.g. to say something. */
  onSend: (link: FakeLink) => void | Promise<void> = () => undefined;
  /** What `finish` waits for. */
  onFinish: (link: FakeLink, signal: AbortSignal) => Promise<void> = async () => undefined;
  readonly #queue: SessionEvent[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  #failure: unknown;

  constructor() {
    this.heard = this.#read();
  }

  say(event: SessionEvent): void {
    this.#queue.push(event);
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#isOver = true;
    this.#wake?.();
  }

  async send(samples: Float32Array): Promise<void> {
    if (this.#isOver) throw new Error('sent to a closed session');
    this.sentSamples += samples.length;
    await this.onSend(this);
  }

  async finish({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.finishes += 1;
    await this.onFinish(this, signal);
  }

  async close(): Promise<void> {
    this.closes += 1;
    this.#isOver = true;
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<SessionEvent> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        yield next;
      } else if (this.#isOver) {
        if (this.#failure !== undefined) throw this.#failure;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** Rejects when the signal is aborted, never resolves. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
