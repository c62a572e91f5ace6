import {
  type Connect,
  type Connection,
  createMemoryPair,
  type Message,
  TransportError,
} from '@kikitori/transport';
import { Flow } from './flow.js';
import type { LineFault, Network, NetworkOptions } from './network.js';
import { sleep } from './virtual-time.js';

/** A network that passes whole messages: quick, and cut in front of any of them. */
export class MessageNetwork implements Network {
  readonly #options: NetworkOptions;
  readonly #lines = new Map<Line, Flow>();
  #tries = 0;
  #connections = 0;
  /** Until this moment of virtual time nobody listens. */
  #closedUntilMs = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#connections;
  }

  get open(): number {
    return this.#lines.size;
  }

  get heldBytes(): number {
    return Math.max(0, ...[...this.#lines.values()].map(({ heldBytes }) => heldBytes));
  }

  readonly connect: Connect = async ({ signal }) => {
    signal?.throwIfAborted();
    const fault = this.#options.doorFaults[this.#tries];
    this.#tries += 1;
    if (fault !== undefined) this.#options.onFault(fault.type);
    if (fault?.type === 'slow') await sleep(fault.ms);
    signal?.throwIfAborted();
    if (fault?.type === 'refuse') throw new TransportError('refused', 'Refused on purpose.', fault);
    if (fault?.type === 'unreachable' || performance.now() < this.#closedUntilMs) {
      throw new TransportError('connect_failed', 'Nobody listens here.');
    }
    const pair = createMemoryPair();
    const faults = this.#options.lineFaults[this.#connections] ?? [];
    this.#connections += 1;
    const line = new Line(pair, faults, this.#options, () => this.#lines.delete(line));
    const flow = new Flow();
    this.#lines.set(line, flow);
    this.#options.serve(flow.server(pair.far));
    return flow.client(line);
  };

  ended(): Promise<void> {
    return Promise.resolve();
  }

  kill(downMs: number): void {
    this.shut(downMs);
    for (const line of [...this.#lines.keys()]) line.cut();
  }

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
  readonly #options: NetworkOptions;
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
    options: NetworkOptions,
    onEnd: () => void,
  ) {
    this.#pair = pair;
    this.#faults = faults;
    this.#options = options;
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
    const delayMs = this.#options.delayMs();
    if (delayMs > 0) await sleep(delayMs);
    for (const fault of this.#faults) {
      if (fault.at !== this.#count) continue;
      this.#options.onFault(fault.type);
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
