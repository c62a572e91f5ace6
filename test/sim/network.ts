import {
  type Connect,
  type Connection,
  createMemoryPair,
  type Message,
  TransportError,
} from '@kikitori/transport';
import { sleep } from './virtual-time.js';

/** What one connection suffers. Messages are counted in both directions together, from 1. */
export type LineFault =
  /** Cut without a goodbye in front of that message. */
  | { readonly type: 'cut'; readonly at: number }
  /** Nothing passes for so long, then everything. */
  | { readonly type: 'stall'; readonly at: number; readonly ms: number }
  /** Nothing passes any more, and nobody says so: the transport's own keep-alive notices it. */
  | { readonly type: 'half-open'; readonly at: number; readonly noticedAfterMs: number };

/** What one try to connect meets. */
export type DoorFault =
  | { readonly type: 'refuse'; readonly httpStatus: number; readonly retryAfterMs?: number }
  | { readonly type: 'unreachable' }
  | { readonly type: 'slow'; readonly ms: number };

/** The way between clients and whoever serves them. */
export interface NetworkOptions {
  /** What the nth connection suffers, from 0. */
  readonly lineFaults: readonly (readonly LineFault[])[];
  /** What the nth try meets, from 0; behind the last one all are let in. */
  readonly doorFaults: readonly (DoorFault | undefined)[];
  /** Every message takes so long, given anew for each. */
  readonly delayMs: () => number;
  readonly serve: (connection: Connection) => void;
}

/** A network whose every trouble is planned. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #lines = new Set<Line>();
  #tries = 0;
  #connections = 0;
  /** Until this moment of virtual time nobody listens. */
  #closedUntilMs = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Connections made so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#lines.size;
  }

  readonly connect: Connect = async ({ signal }) => {
    signal?.throwIfAborted();
    const fault = this.#options.doorFaults[this.#tries];
    this.#tries += 1;
    if (fault?.type === 'slow') await sleep(fault.ms);
    signal?.throwIfAborted();
    if (fault?.type === 'refuse') throw new TransportError('refused', 'Refused on purpose.', fault);
    if (fault?.type === 'unreachable' || performance.now() < this.#closedUntilMs) {
      throw new TransportError('connect_failed', 'Nobody listens here.');
    }
    const pair = createMemoryPair();
    const faults = this.#options.lineFaults[this.#connections] ?? [];
    this.#connections += 1;
    const line = new Line(pair, faults, this.#options.delayMs, () => this.#lines.delete(line));
    this.#lines.add(line);
    this.#options.serve(pair.far);
    return line;
  };

  /** The server is killed: every connection is cut, and nobody listens for so long. */
  kill(downMs: number): void {
    this.shut(downMs);
    for (const line of [...this.#lines]) line.cut();
  }

  /** Nobody is let in for so long. */
  shut(downMs: number): void {
    this.#closedUntilMs = performance.now() + downMs;
  }
}

/** The client's end of a connection, with everything that can happen on the way. */
class Line implements Connection {
  readonly id = 'line';
  readonly messages: AsyncIterable<Message>;
  readonly #pair: ReturnType<typeof createMemoryPair>;
  readonly #faults: readonly LineFault[];
  readonly #delayMs: () => number;
  readonly #onEnd: () => void;
  #count = 0;
  #isDead = false;
  #failure: TransportError | undefined;
  #lastSend: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  readonly #ended = new AbortController();

  constructor(
    pair: ReturnType<typeof createMemoryPair>,
    faults: readonly LineFault[],
    delayMs: () => number,
    onEnd: () => void,
  ) {
    this.#pair = pair;
    this.#faults = faults;
    this.#delayMs = delayMs;
    this.#onEnd = onEnd;
    this.messages = { [Symbol.asyncIterator]: () => this.#read() };
  }

  send(message: Message): Promise<void> {
    const sending = this.#lastSend.then(async () => {
      await this.#pass();
      // Swallowed, as a line without an end does until its buffers are full.
      if (this.#isDead) return;
      if (this.#failure !== undefined) throw this.#failure;
      await this.#pair.near.send(message);
    });
    this.#lastSend = sending.catch(() => undefined);
    return sending;
  }

  async close(code?: number, reason?: string): Promise<void> {
    this.#onEnd();
    this.#end();
    await this.#pair.near.close(code, reason);
  }

  destroy(reason?: Error): void {
    this.#onEnd();
    this.#end();
    this.#pair.near.destroy(reason);
  }

  /** Both ends find the line gone. */
  cut(): void {
    this.#fail(new TransportError('connection_lost', 'Cut on purpose.', { closeCode: 1006 }));
  }

  #fail(error: TransportError): void {
    this.#failure ??= error;
    this.#onEnd();
    this.#pair.far.destroy();
    this.#pair.near.destroy(error);
    this.#end();
  }

  #end(): void {
    this.#ended.abort();
    this.#wake?.();
  }

  /** One more message is on its way, in either direction. */
  async #pass(): Promise<void> {
    this.#count += 1;
    const delayMs = this.#delayMs();
    if (delayMs > 0) await sleep(delayMs);
    for (const fault of this.#faults) {
      if (fault.at !== this.#count) continue;
      if (fault.type === 'cut') this.cut();
      else if (fault.type === 'stall') await sleep(fault.ms);
      else void this.#die(fault.noticedAfterMs);
    }
  }

  async #die(noticedAfterMs: number): Promise<void> {
    this.#isDead = true;
    await sleep(noticedAfterMs);
    if (this.#ended.signal.aborted) return;
    this.#isDead = false;
    this.#fail(new TransportError('keepalive_timeout', 'No sign of life.'));
  }

  async *#read(): AsyncGenerator<Message, undefined, undefined> {
    const iterator = this.#pair.near.messages[Symbol.asyncIterator]();
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return undefined;
      await this.#pass();
      if (this.#isDead) {
        // What comes now is never seen; the reader learns of it when the keep-alive does.
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (this.#ended.signal.aborted) resolve();
        });
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended.signal.aborted) return undefined;
      yield next.value;
    }
  }
}
