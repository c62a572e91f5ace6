/** A session of the client of which a test decides what it says and when. */
import { ClientError, type Held, type Session, type SessionEvent, type Transcript } from '@kikitori/client';
import { BoundedQueue } from '@kikitori/transport';

const NOTHING: Transcript = { text: '', words: [], utterances: [], usage: null };

export class FakeSession implements Session {
  readonly id = 'sess-fake';
  readonly transcript = NOTHING;
  readonly continuity = { reconnects: 0, handovers: 0, rollovers: 0, gaps: [] };
  timing: Session['timing'] = 'counted';
  sentSamples = 0;
  /** Ends that were asked for; to be resolved by the test. */
  readonly ends: (() => void)[] = [];
  isClosed = false;
  readonly #over = new AbortController();
  readonly #events = new BoundedQueue<SessionEvent>({
    highWaterBytes: Number.POSITIVE_INFINITY,
    highWaterCount: 1_000,
    maxBytes: Number.POSITIVE_INFINITY,
    maxCount: 10_000,
  });

  get held(): Held {
    return { audioBytes: 0, waitingBytes: 0, events: this.#events.count };
  }

  get ended(): AbortSignal {
    return this.#over.signal;
  }

  say(...events: readonly SessionEvent[]): void {
    for (const event of events) this.#events.offer(event, 0);
  }

  fail(error: ClientError): void {
    this.#events.fail(error);
  }

  async send(pcm: { readonly length: number }): Promise<void> {
    this.sentSamples += pcm.length;
  }

  endUtterance(): Promise<void> {
    return new Promise((resolve) => this.ends.push(resolve));
  }

  async finish(): Promise<Transcript> {
    throw new ClientError('closed', 'Nobody finishes here.');
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.#events.end();
  }

  destroy(): void {
    void this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<SessionEvent, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
